"""Merges what the agents of a fleet found into one report: terminal, JSON, SARIF, HTML.

The input folder holds ``<host>.json`` (an audit report), optionally ``<host>.scan.json`` (what
that host saw of its neighbors) and, where nothing could be fetched, ``<host>.error`` (why). A host
that is expected and has no report is shown as missing and makes the report incomplete.

Exit status: 0 clean, 2 findings at or above ``--fail-on``, 1 incomplete or unreadable, which also
wins over 2: a fleet that was not seen whole is never merely "findings". A check that could not look
(status ``error``) does not change the exit status, but is listed, counted and told in the verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentcore.errors import EX_USAGE, AgentCoreError, ConfigurationError
from agentcore.security import sarif, twin
from agentcore.security.audit import summarize
from agentcore.security.contract import SCHEMA, SEVERITIES
from agentcore.security.host.words import strict_json
from agentcore.security.report_html import html
from agentcore.security.report_text import table

FAIL_ON = (*SEVERITIES, "none")
"""What ``--fail-on`` takes."""
EXIT_CLEAN, EXIT_INCOMPLETE, EXIT_FINDINGS = 0, 1, 2
_NAMES = {"json": "security.json", "sarif": "security.sarif", "html": "security.html"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--input", metavar="DIR", type=Path, required=True, help="folder of the hosts' reports"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, required=True, help="folder of the merged report"
    )
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="high",
        help="least severity of a failure that makes the exit status 2 (default high)",
    )
    parser.add_argument(
        "--expect",
        metavar="HOST",
        action="append",
        default=[],
        help="a host that must have a report (may be repeated)",
    )
    parser.add_argument(
        "--expect-scope",
        metavar="FILE",
        type=Path,
        help="scope file, all hosts of which must have a report",
    )


def run(args: argparse.Namespace) -> int:
    """Merge, write, print; the exit status.

    Raises:
        ConfigurationError: a flag is not acceptable.
        AgentCoreError: the output cannot be written.
    """
    if not args.input.is_dir():
        raise ConfigurationError("not a folder", f"--input {args.input}", "the hosts' reports")
    expected = [*args.expect, *_scope_names(args.expect_scope)]
    merged, audits = merge(args.input, expected, args.fail_on, int(time.time()))
    texts = {
        "json": json.dumps(merged, ensure_ascii=False, indent=1),
        "sarif": json.dumps(sarif.log(audits), ensure_ascii=False, indent=1),
        "html": html(merged),
    }
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        for form, text in texts.items():
            (args.output / _NAMES[form]).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise AgentCoreError(f"cannot be written: {why}", f"--output {args.output}") from None
    print(table(merged, color=sys.stdout.isatty()))
    for name in _NAMES.values():
        print(args.output / name)
    return int(merged["exit_status"])


def _scope_names(path: Path | None) -> list[str]:
    if path is None:
        return []
    place = f"--expect-scope {path}"
    try:
        return [name for name, _ in twin.scope_hosts(path.read_text(encoding="utf-8"))]
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        raise ConfigurationError(why, place, "a scope file") from None
    except ValueError as error:
        raise ConfigurationError(str(error), place) from None


def merge(
    folder: Path, expected: Sequence[str], fail_on: str, at: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Merge a folder of reports.

    Args:
        folder: the hosts' files.
        expected: hosts that must have a report.
        fail_on: least severity that counts as a finding, or ``none``.
        at: seconds since 1970 that the report carries.

    Returns:
        The merged report, and the audit reports in it.
    """
    audits: dict[str, dict[str, Any]] = {}
    scans: list[dict[str, Any]] = []
    problems: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        host = path.name.removesuffix(".json").removesuffix(".scan").removesuffix(".error")
        if path.suffix == ".error":
            problems[host] = path.read_text(encoding="utf-8", errors="replace").strip()
        elif path.name.endswith(".scan.json"):
            _take_scan(host, path, scans, problems)
        elif path.suffix == ".json":
            try:
                audits[host] = sarif.read_report(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                problems[host] = f"{path.name} cannot be used: {error}"
    names = sorted({*expected, *audits, *problems})
    hosts = [_host(name, audits.get(name), problems.get(name)) for name in names]
    findings = [
        {"host": name, **finding} for name in names for finding in _findings(audits.get(name))
    ]
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    findings.sort(key=lambda f: (order[f["severity"]], f["check"], f["host"], f["subject"]))
    failing = [] if fail_on == "none" else SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    hits = sum(f["status"] == "fail" and f["severity"] in failing for f in findings)
    incomplete = not hosts or any(host["state"] != "audited" for host in hosts)
    status = EXIT_INCOMPLETE if incomplete else EXIT_FINDINGS if hits else EXIT_CLEAN
    merged = {
        "schema": SCHEMA,
        "kind": "fleet",
        "generated_at": at,
        "fail_on": fail_on,
        "exit_status": status,
        "hosts": hosts,
        "summary": summarize(findings),
        "findings": findings,
        "drift": [
            {"host": name, **change} for name in names for change in _part(audits, name, "drift")
        ],
        "unused_waivers": [
            {"host": name, **waiver}
            for name in names
            for waiver in _part(audits, name, "unused_waivers")
        ],
        "scans": scans,
    }
    return merged, [audits[name] for name in names if name in audits]


def _take_scan(
    host: str, path: Path, scans: list[dict[str, Any]], problems: dict[str, str]
) -> None:
    try:
        scan = strict_json(path.read_text(encoding="utf-8"))
        if scan["kind"] != "scan" or scan["schema"] != SCHEMA:
            raise ValueError("not a scan report")
        targets = [
            {key: target[key] for key in ("name", "address", "counts", "ports")}
            for target in scan["targets"]
        ]
        scans.append({"from": host, "complete": scan["complete"] is True, "targets": targets})
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems[host] = f"{path.name} cannot be used: {error}"


def _findings(report: dict[str, Any] | None) -> list[dict[str, str]]:
    return [] if report is None else report["findings"]


def _part(audits: dict[str, dict[str, Any]], name: str, key: str) -> list[dict[str, str]]:
    entries = audits.get(name, {}).get(key, [])
    return [entry for entry in entries if isinstance(entry, dict)]


def _host(name: str, report: dict[str, Any] | None, problem: str | None) -> dict[str, Any]:
    if report is None:
        state = "missing" if problem is None else "unreadable"
        reason = problem or "no report of this host was found"
        return {"name": name, "state": state, "reason": reason, "audited_at": 0, "summary": None}
    return {
        "name": name,
        "state": "audited" if problem is None else "unreadable",
        "reason": problem or "",
        "audited_at": report["audited_at"],
        "summary": summarize(report["findings"]),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m agentcore.security.report``."""
    parser = argparse.ArgumentParser(prog="agentcore security report", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except AgentCoreError as error:
        print(f"agentcore security report: {error}", file=sys.stderr)
        return error.exit_code
    except SystemExit as error:  # argparse says 2 for a bad flag; here 2 means findings
        return EX_USAGE if error.code == 2 else int(error.code or 0)


if __name__ == "__main__":
    sys.exit(main())
