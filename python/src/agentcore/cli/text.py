"""Reports as text for a terminal: the answer first, then the evidence, then the notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agentcore.agents.contract import Report

__all__ = ["render", "table"]

_MOST = 60


def render(report: Report, notices: Sequence[str] = ()) -> str:
    """Return the text of a report."""
    parts = [report.summary]
    body = _BODIES.get(report.agent)
    if body:
        parts += body(report.data)
    if report.findings:
        fixes = {rule.id: rule.fix for rule in report.rules}
        rows = [
            (
                str(finding.severity),
                finding.rule,
                f"{finding.path}:{finding.line}" if finding.line else finding.path,
                f"{finding.message}  {finding.evidence}".rstrip(),
            )
            for finding in report.findings
        ]
        parts.append(table(rows))
        used = sorted({finding.rule for finding in report.findings})
        parts.append("\n".join(f"{rule}: {fixes[rule]}" for rule in used))
    parts.append("\n".join([*report.notices, *notices]))
    return "\n\n".join(part for part in parts if part)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns as wide as their widest cell; the last column is left as it is."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"


def _developer(data: Mapping[str, Any]) -> list[str]:
    rows = [
        (str(one["complexity"]), str(one["lines"]), f"{one['path']}:{one['line']} {one['name']}")
        for one in data["hotspots"][:5]
    ]
    head = [("paths", "lines", "most complex functions")]
    return [table(head + rows)] if rows else []


def _trader(data: Mapping[str, Any]) -> list[str]:
    own, idle = data["result"], data["buy_and_hold"]

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:+.2%}"

    def plain(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    shown: list[tuple[str, str, Callable[[Any], str]]] = [
        ("total return", "total_return", percent),
        ("per year (CAGR)", "cagr", percent),
        ("volatility per year", "volatility", percent),
        ("Sharpe ratio", "sharpe", plain),
        ("Sortino ratio", "sortino", plain),
        ("largest drawdown", "max_drawdown", percent),
        ("time in the market", "exposure", percent),
        ("turnover per year", "turnover_per_year", plain),
        ("costs paid", "costs_paid", percent),
        ("trades", "trades", str),
    ]
    rows = [("", "strategy", "buy and hold")]
    rows += [(title, how(own[key]), how(idle[key])) for title, key, how in shown]
    series = data["series"]
    source = f"{series['bars']} bars, {series['first'][:10]} to {series['last'][:10]}"
    plot = data.get("plot", {}).get("file", "")
    return [table(rows), source + (f"; plot in {plot}" if plot else "")]


def _lawyer(data: Mapping[str, Any]) -> list[str]:
    if data["task"] == "redact":
        counts = ", ".join(f"{count} {kind}" for kind, count in data["counts"].items())
        return [data["text"], counts]
    if data["task"] == "license":
        best = [(f"{one['score']:.1%}", one["license"], one["name"]) for one in data["candidates"]]
        same = f"same text: {', '.join(data['equal'])}" if data["equal"] else ""
        return [table(best), same]
    parts = []
    for key, columns in (
        ("parties", ("role", "name")),
        ("dates", ("date", "about", "note")),
        ("amounts", ("currency", "amount", "rate_percent", "per")),
        ("clauses", ("number", "topic", "heading")),
        ("answers", ("score",)),
    ):
        rows = [
            (f"line {one['line']}", *(str(one.get(name) or "") for name in columns),
             f"“{_short(one['quote'])}”")
            for one in data.get(key, ())
        ]  # fmt: skip
        if rows:
            parts.append(f"{key}\n{table(rows)}")
    return parts


_BODIES: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "developer": _developer,
    "trader": _trader,
    "lawyer": _lawyer,
}
