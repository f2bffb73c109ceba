"""Reads a service's healthcheck and its gate: how ``apply`` knows that the service works."""

from __future__ import annotations

from typing import Any

from agentcore.containers.reading import Reader
from agentcore.containers.values import parse_duration, show

__all__ = ["read_gate", "read_healthcheck"]

_HEALTH_KEYS = (
    "disable",
    "interval",
    "retries",
    "start_interval",
    "start_period",
    "test",
    "timeout",
)
_MODES = ("check", "image", "none")
DEFAULT_TIMEOUT_NS = 60_000_000_000
DEFAULT_HOLD_NS = 1_000_000_000


def duration(node: Any, path: str, reader: Reader, default: int) -> int:
    """Read a duration in nanoseconds; null is the default."""
    if node is None:
        return default
    value = parse_duration(node) if isinstance(node, str) else None
    if value is None:
        reader.problem(path, show(node), "a duration of at most 24h, such as 10s or 1m30s")
        return default
    return value


def read_healthcheck(node: Any, path: str, reader: Reader) -> dict[str, Any] | None:
    """Read a healthcheck; None if there is none. A time of 0 leaves the engine's default."""
    if node is None:
        return None
    fields = reader.mapping(node, path, _HEALTH_KEYS)
    if reader.boolean(fields.get("disable"), f"{path}.disable"):
        return {"test": ["NONE"]}
    test = fields.get("test")
    if isinstance(test, str):
        command = ["CMD-SHELL", test]
    else:
        command = reader.texts(test, f"{path}.test", "a command line or a list")
        if command == ["NONE"]:
            return {"test": ["NONE"]}
        if len(command) < 2 or command[0] not in ("CMD", "CMD-SHELL"):
            reader.problem(
                f"{path}.test",
                show(test),
                "a command line, or [CMD, program, …] or [CMD-SHELL, line]",
            )
    found: dict[str, Any] = {"test": command}
    for key in ("interval", "timeout", "start_period", "start_interval"):
        found[f"{key}_ns"] = duration(fields.get(key), f"{path}.{key}", reader, 0)
        if 0 < found[f"{key}_ns"] < 1_000_000:
            reader.problem(f"{path}.{key}", show(fields.get(key)), "a duration of 1ms or more")
    retries = fields.get("retries")
    found["retries"] = 0 if retries is None else reader.whole(retries, f"{path}.retries", 1, 1000)
    return found


def read_gate(
    node: Any, healthcheck: dict[str, Any] | None, path: str, reader: Reader
) -> dict[str, Any]:
    """Read ``x-health``: ``none``, ``image``, or a mapping with ``mode``, ``timeout``, ``hold``.

    The modes: ``check`` (the template's own healthcheck, the default), ``image`` (the image brings
    one), ``none`` (running for the hold time is enough, or exit 0 for a service that others wait
    for with ``service_completed_successfully``).
    """
    place = f"{path}.x-health"
    fields: dict[str, Any] = {"mode": node}
    if not isinstance(node, str):
        fields = reader.mapping(node, place, ("hold", "mode", "timeout"))
    mode = fields.get("mode", "check")
    if mode not in _MODES:
        where = place if isinstance(node, str) else f"{place}.mode"
        reader.problem(where, show(mode), "none, image, or a mapping with mode, timeout, hold")
        mode = "none"
    has_test = healthcheck is not None and healthcheck["test"] != ["NONE"]
    if mode == "check" and not has_test:
        reader.problem(
            f"{path}.healthcheck",
            "missing, so nothing would tell a working container from a broken one",
            "a healthcheck, x-health: image, or x-health: none",
        )
    if mode == "image" and healthcheck is not None:
        reader.problem(place, "image beside a healthcheck", "one of the two")
    return {
        "mode": mode,
        "timeout_ns": duration(
            fields.get("timeout"), f"{place}.timeout", reader, DEFAULT_TIMEOUT_NS
        ),
        "hold_ns": duration(fields.get("hold"), f"{place}.hold", reader, DEFAULT_HOLD_NS),
    }
