"""The twin's scan: what may be scanned, the engine, and the report per target."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any

from agentcore.security import scope as scopes
from agentcore.security.audit import TOOL_PART
from agentcore.security.contract import SCHEMA, STATES, bad_input
from agentcore.security.engine import Answer, Engine
from agentcore.security.host.listeners import address_text
from agentcore.security.host.words import is_whole
from agentcore.security.scope import Target

MAX_PROBES = 4_000_000
"""Probes one scan may plan."""


def scan(
    scope_text: str,
    asked: list[str] | None,
    ports: list[int] | None,
    *,
    timeout: float,
    tries: int,
    deadline: float,
    max_sockets: int,
    at: int,
) -> dict[str, Any]:
    """Scan targets of the scope; the report.

    Raises:
        PermissionError: a target is out of scope; nothing was sent.
        ValueError: the scope or the options make no sense.
        OSError: the system gives no selector.
    """
    _check_times({"timeout": timeout, "deadline": deadline})
    scope = scopes.parse(scope_text)
    targets = list(scope.hosts) if asked is None else scope.targets(asked)
    for target in targets:
        scope.admit(target.address)
    wanted = sorted(set(scope.ports if ports is None else ports))
    _check(targets, wanted, timeout, tries, deadline, max_sockets)
    start = time.monotonic()
    addresses = [target.address for target in targets]
    engine = Engine(addresses, wanted, timeout=timeout, tries=tries, most=max_sockets)
    engine.run(start + deadline)
    took = time.monotonic() - start
    parts = [
        _target(target, {port: engine.answers.get((number, port)) for port in wanted})
        for number, target in enumerate(targets)
    ]
    unknown = sum(part["counts"]["local_error"] + part["counts"]["skipped"] for part in parts)
    return {
        "schema": SCHEMA,
        "kind": "scan",
        "tool": TOOL_PART,
        "scanned_at": at,
        "duration_seconds": round(took, 3),
        "complete": unknown == 0,
        "targets": parts,
    }


def _check_times(times: dict[str, float]) -> None:
    for name, value in times.items():
        if not math.isfinite(value) or value < 0:
            raise bad_input(f"scan: {name}", "not a time", "a number of seconds")


def _check(
    targets: list[Target],
    ports: list[int],
    timeout: float,
    tries: int,
    deadline: float,
    max_sockets: int,
) -> None:
    if any(not is_whole(port) or not 0 <= port <= 65535 for port in ports):
        raise OverflowError("a port is a whole number up to 65535")
    if ports and ports[0] == 0:
        raise bad_input("scan: ports", "0 is not a port", "1 to 65535")
    probes = len(targets) * len(ports)
    if probes > MAX_PROBES:
        wants = f"at most {MAX_PROBES} probes in one scan"
        raise bad_input("scan", f"{probes} probes asked for", wants)
    if timeout == 0 or deadline == 0:
        raise bad_input("scan", "a timeout or deadline of 0", "more than 0 seconds")
    if tries == 0 or max_sockets == 0:
        raise bad_input("scan", "0 tries or sockets", "1 or more")


def _target(target: Target, answers: dict[int, Answer | None]) -> dict[str, Any]:
    by_state: dict[str, list[int]] = {state: [] for state in STATES}
    reasons: Counter[str] = Counter()
    for port, answer in answers.items():
        state, reason = answer or ("skipped", "deadline")
        by_state[state].append(port)
        reasons[reason] += 1
    return {
        "name": target.name,
        "address": address_text(target.address),
        "counts": {state: len(found) for state, found in by_state.items()},
        "ports": {state: ranges(found) for state, found in by_state.items()},
        "reasons": dict(sorted(reasons.items())),
    }


def ranges(ports: list[int]) -> str:
    """Sorted ports as ``22,80-90``."""
    runs: list[list[int]] = []
    for port in ports:
        if runs and runs[-1][1] == port - 1:
            runs[-1][1] = port
        else:
            runs.append([port, port])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
