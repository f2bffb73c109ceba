"""Writes the page of results from the JSON files that the benchmarks leave.

``python -m benchmarks.report JSON_DIR PAGE``: every figure on the page was put there by a run.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HEAD = """# Benchmarks

Written by `make bench` from `build/bench/*.json`; not edited by hand. Ours and the peers alternate
within one run, and each figure is the median of its rounds. A ratio over 1 means that ours is
better. Absolute figures belong to the machine of the run; ratios travel better.
"""


def number(value: float) -> str:
    """A figure with three significant digits, without an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - len(str(int(abs(value)))) + 1) if abs(value) >= 1 else 4
    return f"{value:,.{digits}f}"


def bar_of(case: dict[str, Any]) -> str:
    """The bar and whether it holds, in words."""
    bar = case.get("bar")
    if not bar:
        return "–"
    word = "holds" if case.get("holds") else "missed"
    aim = f", aim {bar['aim']}x" if bar.get("aim") is not None else ""
    return f"{bar['must']}x {bar['against']}{aim}: {word}"


def section(report: dict[str, Any]) -> str:
    """One subject as a table: a row for each case and peer."""
    machine, revision = report["machine"], str(report["revision"])[:12]
    facts = (
        machine if isinstance(machine, str) else ", ".join(f"{k} {v}" for k, v in machine.items())
    )
    lines = [
        f"\n## {report['subject']}\n",
        f"{report['date']}, revision `{revision}`, {report['rounds']} rounds. {facts}\n",
        "| case | unit | ours | peer | peer's figure | ratio | bar |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in report["cases"]:
        for position, peer in enumerate(case["peers"]):
            ours = [case["name"], case["unit"], number(case["ours"])] if position == 0 else [""] * 3
            theirs = [f"{peer['name']} {peer['version']}", number(peer["value"])]
            bar = bar_of(case) if position == 0 else ""
            lines.append("| " + " | ".join([*ours, *theirs, f"{peer['ratio']:.2f}x", bar]) + " |")
    return "\n".join(lines) + "\n"


def sections_of(page: str) -> dict[str, str]:
    """The sections of a page by subject: what was not run keeps its figures and their date."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {subject: f"\n## {subject}{body.rstrip()}\n" for subject, body in pairs}


def main(arguments: list[str]) -> int:
    """Reads every report of a folder and writes the page; other subjects keep their sections."""
    if len(arguments) != 2:
        print("usage: python -m benchmarks.report JSON_DIR PAGE", file=sys.stderr)
        return 64
    reports = [json.loads(path.read_text()) for path in sorted(Path(arguments[0]).glob("*.json"))]
    if not reports:
        print(f"{arguments[0]} holds no report; run the benchmarks first", file=sys.stderr)
        return 1
    page = Path(arguments[1])
    sections = sections_of(page.read_text()) if page.exists() else {}
    sections |= {report["subject"]: section(report) for report in reports}
    page.write_text(HEAD + "".join(sections[subject] for subject in sorted(sections)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
