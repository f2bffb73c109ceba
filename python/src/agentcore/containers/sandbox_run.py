"""Runs a sandbox to its end and removes it, whatever happens."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from agentcore.containers.contract import EngineError
from agentcore.containers.engine_http import Attached, EngineHttp
from agentcore.containers.sandbox_spec import LABEL_DEADLINE, LABEL_SANDBOX, sandbox_config

__all__ = ["run", "sweep"]

MARGIN_SECONDS = 60
"""How long after its time limit a sandbox may still be cleaned up by its owner."""
MAX_DISCARDED = 67_108_864
"""Bytes of output beyond the limit that are read and dropped before the sandbox is killed."""


def run(http: EngineHttp, sandbox: dict[str, Any], image_id: str) -> dict[str, Any]:
    """Create, start, read, and remove.

    Returns:
        ``exit_code`` (None if it never ended by itself), ``stdout``, ``stderr``,
        ``stdout_truncated``, ``stderr_truncated``, ``oom_killed``, ``timed_out``,
        ``output_exceeded``, ``duration_ms``.
    """
    timeout = sandbox["timeout_ns"] / 1e9
    expires = int(time.time() + timeout + MARGIN_SECONDS)
    made = http.request(
        "POST", "/containers/create", body=sandbox_config(sandbox, image_id, expires)
    )
    try:
        return _watched(http, sandbox, made["Id"], timeout)
    finally:
        remove(http, made["Id"])


def remove(http: EngineHttp, container: str) -> None:
    """Remove a sandbox; try again for a while, for it must not stay."""
    for pause in (0.2, 0.5, 1.0, 0):
        try:
            http.request("DELETE", f"/containers/{container}", {"force": 1, "v": 1}, absent_ok=True)
        except EngineError:
            time.sleep(pause)
        else:
            return


def sweep(http: EngineHttp) -> int:
    """Remove sandboxes past their deadline: their owner died. Return how many."""
    scope = {"all": 1, "filters": {"label": [f"{LABEL_SANDBOX}=1"]}}
    swept = 0
    for item in http.request("GET", "/containers/json", scope):
        deadline = item["Labels"].get(LABEL_DEADLINE, "")
        if not deadline.isdigit() or int(deadline) < time.time():
            remove(http, item["Id"])
            swept += 1
    return swept


def _watched(
    http: EngineHttp, sandbox: dict[str, Any], container: str, timeout: float
) -> dict[str, Any]:
    stream = http.attach(container, bool(sandbox["stdin"]))
    try:
        http.request("POST", f"/containers/{container}/start")
        begun = time.monotonic()
        deadline = begun + timeout
        if sandbox["stdin"]:
            stream.send(sandbox["stdin"].encode(), deadline)
        kept, dropped, ending = _read(stream, sandbox["output_limit"], deadline)
        if ending == "end":
            ending = _await_exit(http, container, deadline)
        duration = time.monotonic() - begun
    finally:
        stream.close()
    if ending != "end":
        with contextlib.suppress(EngineError):  # it may have ended by itself just now
            http.request("POST", f"/containers/{container}/kill")
    state = http.request("GET", f"/containers/{container}/json")["State"]
    return {
        "exit_code": state["ExitCode"] if ending == "end" else None,
        "stdout": kept[1].decode("utf-8", "replace"),
        "stderr": kept[2].decode("utf-8", "replace"),
        "stdout_truncated": dropped[1] > 0,
        "stderr_truncated": dropped[2] > 0,
        "oom_killed": bool(state["OOMKilled"]),
        "timed_out": ending == "timeout",
        "output_exceeded": ending == "output",
        "duration_ms": int(duration * 1000),
    }


def _read(
    stream: Attached, limit: int, deadline: float
) -> tuple[dict[int, bytearray], dict[int, int], str]:
    """Read until the end, the deadline or far too much output; keep the first ``limit`` bytes."""
    kept = {1: bytearray(), 2: bytearray()}
    dropped = {1: 0, 2: 0}
    while True:
        try:
            frame = stream.frame(deadline)
        except TimeoutError:
            return kept, dropped, "timeout"
        if frame is None:
            return kept, dropped, "end"
        kind, data = frame
        if kind not in kept:
            continue
        room = limit - len(kept[kind])
        kept[kind] += data[:room]
        dropped[kind] += max(0, len(data) - room)
        if dropped[1] + dropped[2] > MAX_DISCARDED:
            return kept, dropped, "output"


def _await_exit(http: EngineHttp, container: str, deadline: float) -> str:
    """Wait for the end of a sandbox whose output has ended; it may have closed it early."""
    while http.request("GET", f"/containers/{container}/json")["State"]["Running"]:
        if time.monotonic() >= deadline:
            return "timeout"
        time.sleep(0.02)
    return "end"
