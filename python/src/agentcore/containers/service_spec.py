"""Reads one service of a template into the normal form: every field present, every default out."""

from __future__ import annotations

import re
from typing import Any

from agentcore.containers.health import read_gate, read_healthcheck
from agentcore.containers.mounts import (
    NAME,
    read_ports,
    read_tmpfs,
    read_volumes,
)
from agentcore.containers.reading import Reader
from agentcore.containers.rights import Surroundings, read_network, read_rights
from agentcore.containers.values import (
    child,
    clean_path,
    parse_bytes,
    parse_decimal,
    parse_duration,
    show,
    split_words,
)

__all__ = ["SERVICE_KEYS", "Surroundings", "read_service"]

SERVICE_KEYS = (
    "cap_add", "cap_drop", "command", "cpus", "depends_on", "deploy", "entrypoint", "environment",
    "healthcheck", "image", "init", "ipc", "labels", "mem_limit", "network_mode", "networks", "pid",
    "pids_limit", "ports", "privileged", "read_only", "restart", "security_opt",
    "stop_grace_period", "tmpfs", "user", "volumes", "working_dir", "x-health",
)  # fmt: skip
CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
RESERVED_LABEL = "agentcore."
MIN_MEMORY = 6_291_456
"""Bytes; the engine refuses less."""

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", re.A)
_USER = re.compile(r"[A-Za-z0-9_.-]{1,64}(?::[A-Za-z0-9_.-]{1,64})?", re.A)
_RESTART = re.compile(r"(no|always|unless-stopped|on-failure)(?::([0-9]{1,4}))?", re.A)


def read_service(node: Any, path: str, around: Surroundings, reader: Reader) -> dict[str, Any]:
    """Read one service; problems go to the reader."""
    s = reader.mapping(node, path, SERVICE_KEYS)
    service: dict[str, Any] = {}
    service["image"] = reader.text(
        s.get("image"), f"{path}.image", "an image's name or id; builds are not done here", _IMAGE
    )
    service["command"] = _words(s.get("command"), f"{path}.command", reader)
    service["entrypoint"] = _words(s.get("entrypoint"), f"{path}.entrypoint", reader)
    service["environment"] = reader.pairs(
        s.get("environment"), f"{path}.environment", around.variables
    )
    service["ports"] = read_ports(s.get("ports"), f"{path}.ports", reader)
    service["volumes"] = read_volumes(
        s.get("volumes"), f"{path}.volumes", around.volumes, around.policy, reader
    )
    service["tmpfs"] = read_tmpfs(s.get("tmpfs"), f"{path}.tmpfs", reader)
    service["healthcheck"] = read_healthcheck(s.get("healthcheck"), f"{path}.healthcheck", reader)
    service["limits"] = _limits(s, path, reader)
    service["depends_on"] = _depends_on(s.get("depends_on"), f"{path}.depends_on", reader)
    read_network(s, path, around, service, reader)
    user = s.get("user")
    service["user"] = (
        "" if user is None else reader.text(user, f"{path}.user", "user or user:group", _USER)
    )
    service["read_only"] = reader.boolean(s.get("read_only"), f"{path}.read_only")
    service["init"] = reader.boolean(s.get("init"), f"{path}.init")
    read_rights(s, path, around, service, reader)
    labels = reader.pairs(s.get("labels"), f"{path}.labels", None)
    for key in sorted(labels):
        if key.startswith(RESERVED_LABEL):
            reader.problem(
                child(f"{path}.labels", key), "a reserved label", f"one not under {RESERVED_LABEL}"
            )
    service["labels"] = labels
    service["restart"] = _restart(s.get("restart"), f"{path}.restart", reader)
    workdir = s.get("working_dir")
    service["working_dir"] = ""
    if workdir is not None:
        service["working_dir"] = clean_path(workdir) if isinstance(workdir, str) else None
        if service["working_dir"] is None:
            reader.problem(f"{path}.working_dir", show(workdir), "an absolute path")
    service["stop_grace_ns"] = 10_000_000_000
    if (grace := s.get("stop_grace_period")) is not None:
        value = parse_duration(grace) if isinstance(grace, str) else None
        if value is None:
            reader.problem(f"{path}.stop_grace_period", show(grace), "a duration such as 10s or 1m")
        service["stop_grace_ns"] = value
    service["gate"] = read_gate(s.get("x-health"), service["healthcheck"], path, reader)
    return service


def _words(node: Any, path: str, reader: Reader) -> list[str] | None:
    if node is None:
        return None
    if isinstance(node, str):
        words = split_words(node)
        if words is None:
            reader.problem(path, f"{show(node)} has an open quote", "a closed one, or a list")
        return words
    return reader.texts(node, path, "a command line or a list of words")


def _limits(s: dict[str, Any], path: str, reader: Reader) -> dict[str, int]:
    """Read both spellings; 0 stands for no limit."""
    deploy = reader.mapping(s.get("deploy"), f"{path}.deploy", ("resources",))
    resources = reader.mapping(deploy.get("resources"), f"{path}.deploy.resources", ("limits",))
    place = f"{path}.deploy.resources.limits"
    new = reader.mapping(resources.get("limits"), place, ("cpus", "memory", "pids"))
    found: dict[str, int] = {}
    for name, old_key, new_key in (
        ("memory_bytes", "mem_limit", "memory"),
        ("nano_cpus", "cpus", "cpus"),
        ("pids", "pids_limit", "pids"),
    ):
        values = [
            _limit(name, node, where, reader)
            for node, where in (
                (s.get(old_key), f"{path}.{old_key}"),
                (new.get(new_key), f"{place}.{new_key}"),
            )
            if node is not None
        ]
        if len(values) == 2 and values[0] != values[1]:
            reader.problem(f"{path}.{old_key}", f"differs from {place}.{new_key}", "one of the two")
        found[name] = values[0] if values else 0
    return found


def _limit(name: str, node: Any, path: str, reader: Reader) -> int:
    if name == "pids":
        return reader.whole(node, path, 1, 4_194_304)
    text = reader.scalar(node, path)
    if name == "memory_bytes":
        size = parse_bytes(text)
        if size is None or size < MIN_MEMORY:
            reader.problem(path, show(node), "a size of 6m or more, such as 64m or 1.5g")
        return size or 0
    share = parse_decimal(text)
    if not share or share < 1_000_000:
        reader.problem(path, show(node), "a number of processors of 0.001 or more, such as 0.5")
    return share or 0


def _depends_on(node: Any, path: str, reader: Reader) -> dict[str, str]:
    if isinstance(node, list):
        names = [
            reader.text(item, f"{path}[{i}]", "a service's name") for i, item in enumerate(node)
        ]
        return dict.fromkeys(names, CONDITIONS[0])
    found: dict[str, str] = {}
    for name, value in reader.mapping(node, path).items():
        place = child(path, name)
        condition = reader.mapping(value, place, ("condition",)).get("condition", CONDITIONS[0])
        if not isinstance(condition, str) or condition not in CONDITIONS:
            reader.problem(f"{place}.condition", show(condition), f"one of {', '.join(CONDITIONS)}")
            condition = CONDITIONS[0]
        found[name] = condition
    return found


def _restart(node: Any, path: str, reader: Reader) -> dict[str, Any]:
    if node is None or node is False:  # `restart: no` was a boolean to YAML 1.1
        return {"name": "no", "max_retries": 0}
    match = _RESTART.fullmatch(node) if isinstance(node, str) else None
    if match is None or (match[2] and match[1] != "on-failure"):
        reader.problem(path, show(node), "no, always, unless-stopped, on-failure or on-failure:N")
        return {"name": "no", "max_retries": 0}
    return {"name": match[1], "max_retries": int(match[2] or 0)}


def valid_name(name: str) -> bool:
    """Say whether a service, network or volume may have this name."""
    return NAME.fullmatch(name) is not None
