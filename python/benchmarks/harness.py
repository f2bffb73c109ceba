"""Measure ours and the peers side by side, and write what came out.

Ours and the peers alternate within each round, in an order that rotates, so that
what disturbs the machine disturbs all of them. A value is the median over the
rounds; a ratio is the median of the rounds' ratios, over 1 when ours is better.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "Bar",
    "Case",
    "Contender",
    "Subject",
    "installed",
    "per_operation",
    "run_subject",
    "write",
]

MIN_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who does the work of a case.

    ``measure`` does it once and returns the value in the case's unit; what must
    not be measured is prepared before, or outside of the clock.
    """

    name: str
    version: str
    measure: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Bar:
    """The ratio to a peer that must be reached, and the one to aim for."""

    against: str
    must: float
    aim: float


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. ``bar`` is None where none is set."""

    name: str
    unit: str
    better: Literal["lower", "higher"]
    ours: Contender
    peers: Sequence[Contender]
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One file of ``benchmarks/subjects``: a name, and what makes its cases.

    ``missing`` names peers that are not installed; a bar against one of them
    can't be judged and says so.
    """

    name: str
    cases: Callable[[], Sequence[Case]]
    missing: Sequence[str] = field(default_factory=tuple)


def installed(distribution: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def per_operation(work: Callable[[], object], operations: int, repeat: int = 1) -> float:
    """Return the nanoseconds an operation of ``work`` takes, which does ``operations``."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        begun = time.perf_counter_ns()
        for _ in range(repeat):
            work()
        return (time.perf_counter_ns() - begun) / (operations * repeat)
    finally:
        if collecting:
            gc.enable()


def _run_case(case: Case, rounds: int) -> dict[str, Any]:
    contenders = [case.ours, *case.peers]
    for contender in contenders:
        contender.measure()  # warm caches, lazy imports and compiled patterns
    values: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for round_ in range(rounds):
        shift = round_ % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            values[contender.name].append(contender.measure())
    ours = values[case.ours.name]

    def ratio(peer: list[float]) -> float:
        pairs = zip(ours, peer, strict=True)
        return statistics.median(
            _over(theirs, mine) if case.better == "lower" else _over(mine, theirs)
            for mine, theirs in pairs
        )

    peers = [
        {
            "name": peer.name,
            "version": peer.version,
            "value": round(statistics.median(values[peer.name]), 3),
            "ratio": round(ratio(values[peer.name]), 3),
        }
        for peer in case.peers
    ]
    return {
        "name": case.name,
        "unit": case.unit,
        "better": case.better,
        "ours": round(statistics.median(ours), 3),
        "peers": peers,
        "bar": None if case.bar is None else _as_dict(case.bar),
        "holds": _holds(case.bar, peers),
    }


def _over(above: float, below: float) -> float:
    """A ratio that two zeros (no hit in either) make 1; one zero is as good as nothing."""
    return above / below if below else 1.0 if above == below else 1e6


def _as_dict(bar: Bar) -> dict[str, str | float]:
    return {"against": bar.against, "must": bar.must, "aim": bar.aim}


def _holds(bar: Bar | None, peers: list[dict[str, Any]]) -> bool | None:
    """Tell whether the bar is reached; None without a bar, or without its peer."""
    ratios = [peer["ratio"] for peer in peers if bar is not None and peer["name"] == bar.against]
    return bool(ratios[0] >= bar.must) if bar is not None and ratios else None


def run_subject(
    subject: Subject,
    rounds: int,
    tell: Callable[[str], None] = print,
    only: str | None = None,
) -> dict[str, Any]:
    """Run all cases of a subject, or those with ``only`` in their names; return the record.

    Raises:
        ValueError: too few rounds to take a median of, or a bar against a peer
            that is neither in its case nor known to be missing.
    """
    if rounds < MIN_ROUNDS:
        raise ValueError(f"{rounds} rounds are too few; at least {MIN_ROUNDS}")
    results = []
    for case in subject.cases():
        if only is not None and only not in case.name:
            continue
        against = case.bar.against if case.bar else None
        known = [*(peer.name for peer in case.peers), *subject.missing]
        if against is not None and against not in known:
            raise ValueError(f"case {case.name!r}: its bar is against {against!r}, not a peer")
        result = _run_case(case, rounds)
        results.append(result)
        tell(describe(result))
    return {
        "subject": subject.name,
        "revision": _revision(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": _machine(),
        "rounds": rounds,
        "cases": results,
    }


def describe(result: dict[str, Any]) -> str:
    """Return a case's result in one line."""
    peers = ", ".join(f"{peer['ratio']:.2f}x {peer['name']}" for peer in result["peers"])
    verdict = ""
    if result["bar"]:
        word = {True: "holds", False: "MISSED", None: "not judged: peer missing"}[result["holds"]]
        verdict = f"  [must {result['bar']['must']}x {result['bar']['against']}: {word}]"
    return f"{result['name']}: {result['ours']} {result['unit']}; {peers}{verdict}"


def write(record: dict[str, Any], folder: Path) -> Path:
    """Write a record as ``<subject>.json``; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{record['subject']}.json"
    file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return file


def _revision() -> str:
    """Return the commit measured, with ``+`` behind it when files differ from it."""
    here = Path(__file__).parent
    try:
        head, changed = (
            subprocess.run(
                ["git", *arguments], cwd=here, capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in (
                ("rev-parse", "--short=12", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+" if changed else head


def _machine() -> dict[str, str | int]:
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
