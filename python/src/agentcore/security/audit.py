"""Runs the checks over a host and writes down what was found.

The order of the keys is the order in the JSON; the Rust twin's bytes are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from agentcore import __version__
from agentcore.security import checks, snapshot, waivers
from agentcore.security.contract import SCHEMA, SEVERITIES, STATUSES, TOOL, Check, Outcome
from agentcore.security.host.tree import Host

TOOL_PART = {"name": TOOL, "version": __version__}
"""What made a report."""


def to_json(value: Any) -> str:
    """Compact JSON, as serde_json writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def catalog() -> str:
    """All checks, by id."""
    keys = ("id", "title", "severity", "reference", "fix")
    return to_json([{key: getattr(check, key) for key in keys} for check in checks.ALL])


def audit(
    host: Host, name: str, at: int, waivers_text: str | None, previous: str | None
) -> dict[str, Any]:
    """All checks, then the waivers, then what changed since the last report.

    Raises:
        ValueError: the waivers or the previous report cannot be used. What cannot be read on the
            host is no error here: it becomes a finding of status ``error``.
    """
    accepted = waivers.parse("[]" if waivers_text is None else waivers_text)
    before = None if previous is None else snapshot.of_report(previous)
    findings = [
        _finding(check, outcome, accepted) for check in checks.ALL for outcome in check.run(host)
    ]
    now = snapshot.take(host)
    return {
        "schema": SCHEMA,
        "kind": "audit",
        "tool": TOOL_PART,
        "host": name,
        "audited_at": at,
        "summary": summarize(findings),
        "findings": findings,
        "drift": [] if before is None else snapshot.drift(before, now),
        "unused_waivers": [waiver.to_dict() for waiver in accepted if not waiver.used],
        "snapshot": now,
    }


def summarize(findings: Iterable[dict[str, str]]) -> dict[str, dict[str, int]]:
    """Findings by severity and status."""
    summary = {severity: dict.fromkeys(STATUSES, 0) for severity in SEVERITIES}
    for finding in findings:
        summary[finding["severity"]][finding["status"]] += 1
    return summary


def _finding(check: Check, outcome: Outcome, accepted: list[waivers.Waiver]) -> dict[str, str]:
    reason = None
    if outcome.status in ("fail", "error"):
        reason = waivers.reason(accepted, check.id, outcome.subject)
    return {
        "check": check.id,
        "title": check.title,
        "severity": check.severity,
        "status": outcome.status if reason is None else "waived",
        "subject": outcome.subject,
        "evidence": outcome.evidence,
        "fix": check.fix,
        "reference": check.reference,
        "reason": reason or "",
    }
