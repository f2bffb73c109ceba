"""The fleet report as one HTML file: no script, no font, no image from anywhere.

Hosts' texts are untrusted: each is escaped for HTML and stripped of control characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Any

from agentcore.security.contract import SEVERITIES
from agentcore.security.report_style import STYLE
from agentcore.security.report_text import plain, stamp, verdict

_TONES = ("good", "critical", "high")


def html(merged: dict[str, Any]) -> str:
    """Write the merged report as a page."""
    failed = [f for f in merged["findings"] if f["status"] == "fail"]
    unknown = [f for f in merged["findings"] if f["status"] == "error"]
    waived = [f for f in merged["findings"] if f["status"] == "waived"]
    parts = [
        _head(merged),
        _tiles(merged, len(unknown), len(waived)),
        _section("Hosts", _hosts(merged["hosts"])),
        _section("What to fix", _checks(failed), "Nothing failed.", len(failed)),
        _section("What changed", _drift(merged["drift"]), "", len(merged["drift"])),
        _section("What is reachable", _scans(merged["scans"]), "", len(merged["scans"])),
        _section("What could not be looked at", _plain_rows(unknown), "", len(unknown)),
        _section("What is accepted, and why", _waived(waived), "", len(waived)),
        _section(
            "Waivers that cover nothing",
            _unused(merged["unused_waivers"]),
            "",
            len(merged["unused_waivers"]),
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Fleet security report</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _text(value: object) -> str:
    return escape(plain(str(value)))


def _prose(text: str) -> str:
    """Text in which `words` between backquotes are code."""
    parts = _text(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _head(merged: dict[str, Any]) -> str:
    tone = _TONES[merged["exit_status"]]
    return (
        "<header><h1>Fleet security report</h1>"
        f"<p>{stamp(merged['generated_at'])} UTC</p>"
        f'<p class="verdict {tone}">{_text(verdict(merged))}</p></header>'
    )


def _tiles(merged: dict[str, Any], unknown: int, waived: int) -> str:
    counts = [(severity, merged["summary"][severity]["fail"]) for severity in SEVERITIES]
    tiles = "".join(
        f'<div class="tile {name if count else "none"}"><b>{count}</b><span>{name}</span></div>'
        for name, count in [*counts, ("unknown", unknown), ("waived", waived)]
    )
    return f'<div class="tiles">{tiles}</div>'


def _section(title: str, body: str, empty: str = "", count: int = 1) -> str:
    if not count:
        return f"<section><h2>{title}</h2><p>{empty}</p></section>" if empty else ""
    return f"<section><h2>{title}</h2>{body}</section>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "") -> str:
    cells = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _hosts(hosts: list[dict[str, Any]]) -> str:
    head = ["Host", *(name.capitalize() for name in SEVERITIES), "Unknown", "Waived", "Audited"]
    return _table(head, map(_host, hosts), "hosts")


def _host(host: dict[str, Any]) -> list[str]:
    name = f"<strong>{_text(host['name'])}</strong>"
    when = f"{stamp(host['audited_at'])} UTC"
    if host["state"] != "audited":
        when = f'<span class="mark critical">{host["state"]}</span> {_text(host["reason"])}'
    summary = host["summary"]
    if summary is None:
        return [name, *["–"] * (len(SEVERITIES) + 2), when]
    marks = [_mark(severity, summary[severity]["fail"]) for severity in SEVERITIES]
    unknown = sum(summary[severity]["error"] for severity in SEVERITIES)
    waived = sum(summary[severity]["waived"] for severity in SEVERITIES)
    return [name, *marks, _mark("unknown", unknown), str(waived), when]


def _mark(kind: str, count: int) -> str:
    return f'<span class="mark {kind}">{count}</span>' if count else '<span class="zero">0</span>'


def _checks(failed: list[dict[str, str]]) -> str:
    """One card a check, worst first, open if critical or high."""
    cards = []
    for (severity, check), group in groupby(failed, lambda f: (f["severity"], f["check"])):
        found = list(group)
        first = found[0]
        rows = ([_text(f["host"]), _text(f["subject"]), _text(f["evidence"])] for f in found)
        title = first["title"][:1].upper() + first["title"][1:]
        hosts = len({f["host"] for f in found})
        where = f"{len(found)} on {hosts} host{'s' if hosts != 1 else ''}"
        is_open = " open" if severity in ("critical", "high") else ""
        cards.append(
            f'<details class="card {severity}"{is_open}><summary>'
            f'<span class="mark {severity}">{severity}</span> {_text(title)}'
            f'<span class="where">{where}</span></summary>'
            f'<p class="fix"><b>Fix</b> {_prose(first["fix"])}</p>'
            f"{_table(['Host', 'Subject', 'Evidence'], rows)}"
            f'<p class="source">{_text(check)} · {_text(first["reference"])}</p></details>'
        )
    return "".join(cards)


def _drift(changes: list[dict[str, str]]) -> str:
    rows = (
        [
            _text(change["host"]),
            _text(change["kind"].replace("_", " ")),
            _text(change["subject"]),
            _text(change["before"] or "–"),
            _text(change["after"] or "–"),
        ]
        for change in changes
    )
    return _table(["Host", "Change", "Subject", "Before", "Now"], rows)


def _scans(scans: list[dict[str, Any]]) -> str:
    rows = (
        [
            _text(scan["from"]),
            _text(target["name"]),
            f"<code>{_text(target['ports']['open']) or '–'}</code>",
            f"<code>{_text(target['ports']['filtered']) or '–'}</code>",
            str(int(target["counts"]["closed"])),
            _mark("unknown", target["counts"]["local_error"] + target["counts"]["skipped"]),
        ]
        for scan in scans
        for target in scan["targets"]
    )
    head = ["Seen from", "Host", "Open ports", "Filtered ports", "Closed", "Not known"]
    return _table(head, rows)


def _plain_rows(findings: list[dict[str, str]]) -> str:
    rows = (
        [_text(f["host"]), _text(f["check"]), _text(f["subject"]), _text(f["evidence"])]
        for f in findings
    )
    return _table(["Host", "Check", "Subject", "Why"], rows, "prose")


def _waived(findings: list[dict[str, str]]) -> str:
    rows = (
        [_text(f[key]) for key in ("host", "check", "subject", "evidence", "reason")]
        for f in findings
    )
    return _table(["Host", "Check", "Subject", "Evidence", "Reason"], rows, "prose")


def _unused(waivers: list[dict[str, str]]) -> str:
    rows = ([_text(w["host"]), _text(w["check"]), _text(w["subject"])] for w in waivers)
    return _table(["Host", "Check", "Subject"], rows)
