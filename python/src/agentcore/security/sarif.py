"""Findings as SARIF 2.1.0 (OASIS, ``sarif-schema-2.1.0``), for code-scanning tools.

Failures are results of kind ``fail``; what could not be looked at is ``open``, for SARIF's own
"not enough information"; what is waived is of kind ``fail`` with a suppression that gives the
reason.
"""

from __future__ import annotations

import hashlib
from typing import Any

from agentcore.security import checks
from agentcore.security.contract import SEVERITIES, STATUSES, bad_input
from agentcore.security.host.words import is_whole, strict_json

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5"}
_TEXTS = ("check", "title", "subject", "evidence", "fix", "reference", "reason")


def read_report(text: str) -> dict[str, Any]:
    """Parse an audit report.

    Raises:
        ValueError: it is none.
    """
    try:
        report = strict_json(text)
    except ValueError:
        report = None
    if not _is_report(report):
        raise bad_input("report", "not an audit report", "schema 1")
    assert isinstance(report, dict)  # noqa: S101  # told to the type checker
    return report


def _is_report(report: Any) -> bool:
    if not isinstance(report, dict) or not is_whole(report.get("schema")):
        return False
    tool, findings = report.get("tool"), report.get("findings")
    return (
        isinstance(tool, dict)
        and all(isinstance(tool.get(key), str) for key in ("name", "version"))
        and isinstance(report.get("host"), str)
        and is_whole(report.get("audited_at"))
        and isinstance(report.get("summary"), dict)
        and isinstance(report.get("snapshot"), dict)
        and isinstance(report.get("drift"), list)
        and isinstance(findings, list)
        and all(_is_finding(finding) for finding in findings)
    )


def _is_finding(finding: Any) -> bool:
    return (
        isinstance(finding, dict)
        and all(isinstance(finding.get(key), str) for key in _TEXTS)
        and finding.get("severity") in SEVERITIES
        and finding.get("status") in STATUSES
    )


def log(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """One SARIF log of these reports, a run each. Passes and what does not apply are left out."""
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report) for report in reports]}


def _run(report: dict[str, Any]) -> dict[str, Any]:
    indexes = {check.id: index for index, check in enumerate(checks.ALL)}
    return {
        "tool": {
            "driver": {
                "name": report["tool"]["name"],
                "version": report["tool"]["version"],
                "rules": [
                    {
                        "id": check.id,
                        "shortDescription": {"text": check.title},
                        "help": {"text": check.fix},
                        "defaultConfiguration": {"level": _LEVELS[check.severity]},
                        "properties": {
                            "tags": ["security"],
                            "reference": check.reference,
                            "security-severity": _SCORES[check.severity],
                        },
                    }
                    for check in checks.ALL
                ],
            }
        },
        "automationDetails": {"id": f"audit/{report['host']}/{report['audited_at']}"},
        "results": [
            _result(report["host"], finding, indexes[finding["check"]])
            for finding in report["findings"]
            if finding["status"] in ("fail", "waived", "error") and finding["check"] in indexes
        ],
    }


def _result(host: str, finding: dict[str, str], index: int) -> dict[str, Any]:
    is_open = finding["status"] == "error"
    name = f"{host}/{finding['subject']}"
    suppression = {"kind": "external", "justification": finding["reason"]}
    return {
        "ruleId": finding["check"],
        "ruleIndex": index,
        "kind": "open" if is_open else "fail",
        "level": "none" if is_open else _LEVELS[finding["severity"]],
        "message": {"text": f"{finding['subject']}: {finding['evidence']}"},
        "locations": [
            {
                "logicalLocations": [
                    {"name": finding["subject"], "fullyQualifiedName": name, "kind": "resource"}
                ]
            }
        ],
        "partialFingerprints": {
            "finding/v1": hashlib.sha256(f"{finding['check']}\0{name}".encode()).hexdigest()
        },
        "suppressions": [suppression] if finding["status"] == "waived" else [],
    }
