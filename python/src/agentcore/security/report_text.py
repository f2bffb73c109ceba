"""The fleet report for a terminal. Every control character is escaped before it is printed."""

from __future__ import annotations

import time
from itertools import groupby
from typing import Any

from agentcore.security.contract import SEVERITIES

_COLORS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "good": "32"}
_SHOWN = 5
"""Findings of one check listed one by one; the rest is counted and stands in the files."""
_WIDTH = 90
"""Characters of evidence shown; the files have all of it."""


def plain(text: str) -> str:
    """``text`` with what a terminal would obey (controls, direction marks) made visible."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)


def table(merged: dict[str, Any], *, color: bool) -> str:
    """Hosts, failures worst first, what could not be looked at, then one line of verdict."""

    def paint(text: str, kind: str) -> str:
        return f"\x1b[{_COLORS[kind]}m{text}\x1b[0m" if color else text

    rows = [_row(host) for host in merged["hosts"]]
    head = ["host", *SEVERITIES, "unknown", "waived", "audited (UTC)"]
    lines = [*_aligned([head, *rows]), ""]
    for status in ("fail", "error"):
        chosen = [f for f in merged["findings"] if f["status"] == status]
        if chosen and status == "error":
            lines += ["", "could not be looked at, and not known to be good:"]
        for (severity, title), group in groupby(chosen, lambda f: (f["severity"], f["title"])):
            lines += [f"{paint(f'{severity:<8}', severity)} {plain(title)}", *_listed(list(group))]
    if merged["drift"]:
        lines += ["", "changed since the last audit:"]
        for change in merged["drift"][:_SHOWN]:
            kind = change["kind"].replace("_", " ")
            lines.append(f"  {change['host']}: {kind} {plain(change['subject'])}")
        if len(merged["drift"]) > _SHOWN:
            lines.append(f"  … and {len(merged['drift']) - _SHOWN} more")
    lines += ["", paint(verdict(merged), ("good", "critical", "high")[merged["exit_status"]])]
    return "\n".join(lines)


def _listed(found: list[dict[str, str]]) -> list[str]:
    indent = " " * 11
    lines = [
        f"{indent}{plain(f['host'])}: {plain(f['subject'])} — {_short(f['evidence'])}"
        for f in found[:_SHOWN]
    ]
    return lines + ([f"{indent}… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])


def _short(evidence: str) -> str:
    text = plain(evidence)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def verdict(merged: dict[str, Any]) -> str:
    """The report in one sentence, and in a second one how much is unknown."""
    unknown = sum(merged["summary"][severity]["error"] for severity in SEVERITIES)
    return _verdict(merged) + (f" Not known: {unknown}." if unknown else "")


def _verdict(merged: dict[str, Any]) -> str:
    absent = [host for host in merged["hosts"] if host["state"] != "audited"]
    if not merged["hosts"]:
        return "INCOMPLETE: there is not one report."
    if absent:
        return f"INCOMPLETE: {len(absent)} of {len(merged['hosts'])} hosts were not seen whole."
    threshold = merged["fail_on"]
    hosts = f"{len(merged['hosts'])} host{'s' if len(merged['hosts']) != 1 else ''}"
    if merged["exit_status"]:
        return f"FINDINGS: {hosts}, failures of severity {threshold} or above."
    if threshold == "none":
        return f"DONE: {hosts} audited; no severity was set to fail on."
    return f"CLEAN: {hosts}, no failure of severity {threshold} or above."


def stamp(seconds: int) -> str:
    """A moment as ``2026-11-23 19:00``."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))


def _row(host: dict[str, Any]) -> list[str]:
    if host["summary"] is None:
        dashes = ["-"] * (len(SEVERITIES) + 2)
        return [plain(host["name"]), *dashes, f"{host['state']}: {plain(host['reason'])}"]
    summary = host["summary"]
    total = {key: sum(summary[s][key] for s in SEVERITIES) for key in ("error", "waived")}
    when = stamp(host["audited_at"])
    if host["state"] != "audited":
        when = f"{host['state']}: {plain(host['reason'])}"
    counts = [str(summary[severity]["fail"]) for severity in SEVERITIES]
    return [plain(host["name"]), *counts, str(total["error"]), str(total["waived"]), when]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    return [
        "  ".join(
            cell if i == last else cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i])
            for i, cell in enumerate(row)
        )
        for row in rows
    ]
