"""``agentcore run AGENT``: runs an agent here and prints or writes its report.

Exit status: 0 when it ran, 1 when ``--fail-on`` names a severity that was reached, 2 for input
that the agent refused, 64 for a wrong command line.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentcore import __version__
from agentcore.cli.text import render
from agentcore.errors import AgentCoreError, ConfigurationError, InputError

if TYPE_CHECKING:
    from agentcore.agents.contract import Report
    from agentcore.core import AGENTCore

__all__ = ["add_arguments", "run"]

SEVERITIES = ("info", "low", "medium", "high", "critical")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one sub-command per agent; their flags are the agents' inputs."""
    agents = parser.add_subparsers(dest="agent", metavar="AGENT", required=True)
    developer = _agent(agents, "developer", "secrets, dependencies and complexity of a tree")
    developer.add_argument("path", metavar="PATH", type=Path, help="folder or file")
    trader = _agent(agents, "trader", "backtest a strategy over an OHLCV table")
    trader.add_argument("path", metavar="CSV", type=Path, help="the price table")
    trader.add_argument("--strategy", metavar="NAME", help="sma-cross, momentum or mean-reversion")
    trader.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="parameter of the strategy or cost in basis points, such as fast=10",
    )
    trader.add_argument("--short", action="store_true", help="be short instead of out")
    trader.add_argument("--plot", metavar="FILE", type=Path, help="write a plot: .svg or .png")
    lawyer = _agent(agents, "lawyer", "read a contract, name a license, or redact a text")
    lawyer.add_argument("path", metavar="TEXT", type=Path, help="the document")
    lawyer.add_argument("--task", default="contract", help="contract, license or redact")
    lawyer.add_argument("--ask", default="", metavar="QUESTION", help="answer with citations")
    lawyer.add_argument("--kinds", default="", metavar="KINDS", help="what to redact (default all)")
    auto = _agent(agents, "auto", "let the prompt choose the agent")
    auto.add_argument("prompt", metavar="PROMPT", help="what is wanted, in words")
    auto.add_argument("path", metavar="PATH", type=Path, help="what it is about")


def run(args: argparse.Namespace) -> int:
    """Run the agent; return the exit status."""
    from agentcore.core import AGENTCore

    core = AGENTCore()
    name, notices = args.agent, []
    if name == "auto":
        route = core.route(args.prompt)
        if not route.agent:
            print(route.question, file=sys.stderr)
            return 1
        name = route.agent
        print(f"routed to {name} (margin {route.margin:.2f})", file=sys.stderr)
    inputs, skipped = _inputs(name, args)
    notices = [f"Left out: {reason}" for reason in skipped]
    report = core.agent(name).run(inputs)
    _write_plot(report, args)
    _emit(_written(core, report, args.format, notices), args.output)
    limit = SEVERITIES.index(args.fail_on) if args.fail_on else len(SEVERITIES)
    return int(any(finding.severity.rank >= limit for finding in report.findings))


def _agent(agents: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = agents.add_parser(name, help=text, description=text)
    parser.add_argument(
        "--format", choices=("text", "json", "sarif"), default="text", help="form (default text)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it there")
    parser.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit 1 if a finding is at least this severe"
    )
    return parser


def _inputs(name: str, args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Return the agent's inputs and what was left out of them."""
    if name == "developer":
        from agentcore.agents.developer.tree import read_tree

        tree = read_tree(args.path)
        files = [{"path": path, "content": content} for path, content in tree.files]
        return {"files": files}, tree.skipped
    text = _read(args.path)
    if name == "lawyer":
        inputs = {"text": text, "name": args.path.name}
        for flag, field in (("task", "task"), ("ask", "question"), ("kinds", "kinds")):
            if getattr(args, flag, ""):
                inputs[field] = getattr(args, flag)
        return inputs, []
    inputs = {"csv": text, "name": args.path.name}
    for item in getattr(args, "set", []):
        field, _, value = item.partition("=")
        try:
            inputs[field] = float(value)
        except ValueError:
            raise ConfigurationError(f"{item!r} is no setting", "--set", "NAME=NUMBER") from None
    if getattr(args, "strategy", None):
        inputs["strategy"] = args.strategy
    if getattr(args, "short", False):
        inputs["short"] = True
    if getattr(args, "plot", None):
        kind = args.plot.suffix.lstrip(".").lower()
        if kind not in ("svg", "png"):
            raise ConfigurationError(f"{args.plot.name!r}", "--plot", "a name in .svg or .png")
        inputs["plot"] = kind
    return inputs, []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(error.strerror), str(path), "a readable text file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 at byte {error.start}", str(path), "a UTF-8 text") from None


def _write_plot(report: Report, args: argparse.Namespace) -> None:
    if getattr(args, "plot", None):
        _store(args.plot, base64.b64decode(report.data["plot"]["base64"]))
        report.data["plot"].update(base64="", file=str(args.plot))


def _written(core: AGENTCore, report: Report, form: str, notices: list[str]) -> str:
    if form == "sarif":
        from agentcore.agents.sarif import to_sarif

        if not report.rules:
            raise ConfigurationError(
                f"{report.agent} has no findings to write so", "--format sarif", "text or json"
            )
        return json.dumps(to_sarif(report, __version__), indent=2, ensure_ascii=False)
    if form == "json":
        body = report.to_dict()
        body["notices"] += notices
        body["implementation"] = core.strings.implementation
        return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False)
    return render(report, notices)


def _emit(text: str, output: Path | None) -> None:
    if output is None:
        print(text)
    else:
        _store(output, (text + "\n").encode("utf-8"))


def _store(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise AgentCoreError(
            f"cannot be written: {error.strerror}", str(path), "a path in a folder that exists"
        ) from None
