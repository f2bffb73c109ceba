"""Writes a report's findings as SARIF 2.1.0 (OASIS, 2020), the form that code hosts read."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from agentcore.agents.contract import Finding, Report, Severity

__all__ = ["to_sarif"]

_LEVEL = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
# The score that code hosts sort by; middle of the CVSS 3.1 range of the same word.
_SCORE = {
    Severity.INFO: "0.0",
    Severity.LOW: "2.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


def to_sarif(report: Report, version: str) -> dict[str, Any]:
    """Return the SARIF log of one report.

    Args:
        report: the report; its rules must include those that its findings name.
        version: the version of this package.
    """
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": f"agentcore-{report.agent}",
                        "semanticVersion": version,
                        "rules": [
                            {
                                "id": rule.id,
                                "shortDescription": {"text": rule.title},
                                "help": {"text": rule.fix},
                            }
                            for rule in report.rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, index) for finding in report.findings],
            }
        ],
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.path)}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    # Without the line number, so that a finding stays the same when code above it moves.
    identity = f"{finding.rule}\0{finding.path}\0{finding.evidence}\0{finding.message}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVEL[finding.severity],
        "message": {
            "text": f"{finding.message}: {finding.evidence}"
            if finding.evidence
            else finding.message
        },
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {
            "agentcore/v1": hashlib.sha256(identity.encode("utf-8")).hexdigest()
        },
        "properties": {
            "severity": str(finding.severity),
            "security-severity": _SCORE[finding.severity],
        },
    }
