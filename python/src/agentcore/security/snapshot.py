"""What a host shows at one moment, and what changed between two."""

from __future__ import annotations

from collections import Counter
from typing import Any

from agentcore.security.contract import SCHEMA, bad_input
from agentcore.security.host.tree import Host, UnreadableError
from agentcore.security.host.words import is_whole, strict_json

_PARTS: dict[str, dict[str, type]] = {
    "listeners": {"proto": str, "address": str, "port": int, "uid": int},
    "setuid": {},
    "containers": {"name": str, "image": str, "image_id": str, "running": bool},
    "processes": {"name": str, "uid": int, "count": int},
}
"""The parts of a snapshot with the fields of their entries; setuid's are plain paths."""

Snapshot = dict[str, list[Any] | None]
"""A part that could not be read is None: unknown, not empty."""


def take(host: Host) -> Snapshot:
    """Look at a host."""
    walk = host.walk
    return {
        "listeners": _listeners(host),
        "setuid": walk.setuid if walk.entries and not walk.unreadable else None,
        "containers": _containers(host),
        "processes": _processes(host),
    }


def _listeners(host: Host) -> list[Any] | None:
    try:
        found = host.listeners
    except UnreadableError:
        return None
    return [
        {"proto": one.proto, "address": one.address, "port": one.port, "uid": one.uid}
        for one in found
    ]


def _containers(host: Host) -> list[Any] | None:
    found = host.containers
    if found.problem is not None:
        return None
    entries = []
    for one in found.known:
        image, image_id = one.image
        entries.append(
            {"name": one.name, "image": image, "image_id": image_id, "running": one.is_running}
        )
    return entries


def _processes(host: Host) -> list[Any] | None:
    try:
        groups = Counter((process.name, process.uid) for process in host.processes)
    except UnreadableError:
        return None
    return [{"name": name, "uid": uid, "count": groups[name, uid]} for name, uid in sorted(groups)]


def of_report(report: str) -> Snapshot:
    """The snapshot in an earlier report.

    Raises:
        ValueError: the text is no such report.
    """
    try:
        earlier = strict_json(report)
    except ValueError:
        earlier = None
    if isinstance(earlier, dict) and is_whole(earlier.get("schema")):
        found = earlier.get("snapshot")
        if (
            earlier["schema"] == SCHEMA
            and isinstance(found, dict)
            and all(_is_part(key, found.get(key)) for key in _PARTS)
        ):
            return {key: found.get(key) for key in _PARTS}
    raise bad_input("previous report", "not an audit report", "schema 1")


def _is_part(key: str, value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, list):
        return False
    fields = _PARTS[key]
    if not fields:
        return all(isinstance(entry, str) for entry in value)
    return all(_is_entry(entry, fields) for entry in value)


def _is_entry(entry: Any, fields: dict[str, type]) -> bool:
    return isinstance(entry, dict) and all(_is(entry.get(k), kind) for k, kind in fields.items())


def _is(value: Any, kind: type) -> bool:
    return is_whole(value) if kind is int else isinstance(value, kind)


def drift(before: Snapshot, now: Snapshot) -> list[dict[str, str]]:
    """What changed, by kind and subject. A part unknown then or now tells nothing."""
    changes: list[dict[str, str]] = []
    for part, kind, describe in (
        ("containers", "container", _image),
        ("listeners", "listener", _place),
        ("setuid", "setuid", _path),
    ):
        then, today = before[part], now[part]
        if then is not None and today is not None:
            changes += _compare(kind, dict(map(describe, then)), dict(map(describe, today)))
    return changes


def _image(entry: dict[str, str]) -> tuple[str, str]:
    return entry["name"], f"{entry['image']} {entry['image_id']}"


def _place(entry: dict[str, str]) -> tuple[str, str]:
    address = entry["address"]
    host = f"[{address}]" if ":" in address else address
    return f"{entry['proto']} {host}:{entry['port']}", "listening"


def _path(entry: str) -> tuple[str, str]:
    return entry, "setuid or setgid"


def _compare(kind: str, then: dict[str, str], now: dict[str, str]) -> list[dict[str, str]]:
    changes = []
    for subject in sorted(then.keys() | now.keys()):
        before, after = then.get(subject, ""), now.get(subject, "")
        if subject not in then:
            what = "added"
        elif subject not in now:
            what = "removed"
        elif before != after:
            what = "image_changed"
        else:
            continue
        changes.append(
            {"kind": f"{kind}_{what}", "subject": subject, "before": before, "after": after}
        )
    return changes
