"""Reads what connects a container with the world: ports, volumes, tmpfs, networks."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from agentcore.containers.policy import check_bind
from agentcore.containers.reading import Reader
from agentcore.containers.values import child, clean_path, show

__all__ = ["read_networks", "read_ports", "read_tmpfs", "read_volumes"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.A)
_PORT = re.compile(
    r"(?:(?:(\[[0-9A-Fa-f:.]+\]|[0-9.]+):)?([0-9]{0,5}):)?([0-9]{1,5})(?:/(tcp|udp|sctp))?", re.A
)
_PORT_FORMS = "[host_ip:][host_port:]container_port[/tcp|udp|sctp], each port from 1 to 65535"
_TMPFS = re.compile(
    r"(?:(?:size=[0-9]{1,12}[kmgKMG]?|mode=[0-7]{3,4}|uid=[0-9]{1,9}|gid=[0-9]{1,9}"
    r"|noexec|exec|nosuid|nodev|rw|ro)(?:,|$))*",
    re.A,
)


def read_ports(node: Any, path: str, reader: Reader) -> list[dict[str, Any]]:
    """Read published ports. Without a host address a port is published on loopback alone.

    A ``host_port`` of 0 asks the engine for a free one.
    """
    ports: list[dict[str, Any]] = []
    for index, item in enumerate(reader.items(node, path, "a list of ports")):
        place = f"{path}[{index}]"
        port = _long_port(item, place, reader) if isinstance(item, dict) else None
        if port is None and not isinstance(item, dict):
            port = _short_port(item, place, reader)
        if port is None:
            continue
        if any(port == other for other in ports):
            reader.problem(place, "written twice", "each port once")
            continue
        ports.append(port)
    return ports


def _short_port(item: Any, place: str, reader: Reader) -> dict[str, Any] | None:
    text = str(item) if isinstance(item, int) and not isinstance(item, bool) else item
    match = _PORT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        reader.problem(place, show(item), _PORT_FORMS)
        return None
    host_ip, host_port, port = (match[1] or "127.0.0.1").strip("[]"), match[2] or "0", match[3]
    if not _is_address(host_ip) or int(host_port) > 65535 or not 1 <= int(port) <= 65535:
        reader.problem(place, show(item), _PORT_FORMS)
        return None
    return {
        "host_ip": host_ip,
        "host_port": int(host_port),
        "container_port": int(port),
        "protocol": match[4] or "tcp",
    }


def _long_port(item: dict[str, Any], place: str, reader: Reader) -> dict[str, Any] | None:
    fields = reader.mapping(item, place, ("target", "published", "host_ip", "protocol"))
    host_ip = fields.get("host_ip", "127.0.0.1")
    if not isinstance(host_ip, str) or not _is_address(host_ip):
        reader.problem(f"{place}.host_ip", show(host_ip), "an IP address")
        host_ip = ""
    protocol = fields.get("protocol", "tcp")
    if protocol not in ("tcp", "udp", "sctp"):
        reader.problem(f"{place}.protocol", show(protocol), "tcp, udp or sctp")
    return {
        "host_ip": host_ip,
        "host_port": reader.whole(fields.get("published", 0), f"{place}.published", 0, 65535),
        "container_port": reader.whole(fields.get("target"), f"{place}.target", 1, 65535),
        "protocol": protocol if isinstance(protocol, str) else "tcp",
    }


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone is this host's business


def read_volumes(
    node: Any, path: str, declared: dict[str, Any], policy: dict[str, Any], reader: Reader
) -> list[dict[str, Any]]:
    """Read mounts of named volumes, allowed host paths and tmpfs, sorted as written."""
    mounts: list[dict[str, Any]] = []
    for index, item in enumerate(reader.items(node, path, "a list of volumes")):
        place = f"{path}[{index}]"
        mount = (
            _long_mount(item, place, reader)
            if isinstance(item, dict)
            else _short_mount(item, place, reader)
        )
        if mount is None:
            continue
        target = clean_path(mount["target"])
        if target is None or target == "/":
            reader.problem(
                place, f"target {show(mount['target'])}", "an absolute path other than /"
            )
            continue
        mount["target"] = target
        if any(other["target"] == target for other in mounts):
            reader.problem(place, f"a second mount at {show(target)}", "each target once")
        if mount["type"] == "bind":
            source = clean_path(mount["source"])
            if source is None:
                reader.problem(place, f"host path {show(mount['source'])}", "an absolute path")
                continue
            mount["source"] = source
            check_bind(source, place, policy, reader)
        elif mount["type"] == "volume" and mount["source"] not in declared:
            reader.problem(
                place,
                f"volume {show(mount['source'])} is not declared",
                "its name under the top-level volumes",
            )
        mounts.append(mount)
    return mounts


def _short_mount(item: Any, place: str, reader: Reader) -> dict[str, Any] | None:
    parts = item.split(":") if isinstance(item, str) else []
    if (
        len(parts) not in (2, 3)
        or not parts[0]
        or (len(parts) == 3 and parts[2] not in ("ro", "rw"))
    ):
        reader.problem(place, show(item), "source:target[:ro|rw]")
        return None
    is_path = parts[0][0] in "/.~"
    return {
        "type": "bind" if is_path else "volume",
        "source": parts[0],
        "target": parts[1],
        "read_only": parts[2:] == ["ro"],
    }


def _long_mount(item: dict[str, Any], place: str, reader: Reader) -> dict[str, Any] | None:
    fields = reader.mapping(item, place, ("type", "source", "target", "read_only"))
    kind = fields.get("type")
    if kind not in ("bind", "volume"):
        reader.problem(f"{place}.type", show(kind), "volume or bind (tmpfs has its own key)")
        return None
    return {
        "type": kind,
        "source": reader.text(fields.get("source"), f"{place}.source", "a volume name or a path"),
        "target": reader.text(fields.get("target"), f"{place}.target", "an absolute path"),
        "read_only": reader.boolean(fields.get("read_only"), f"{place}.read_only"),
    }


def read_tmpfs(node: Any, path: str, reader: Reader) -> dict[str, str]:
    """Read tmpfs mounts: ``/path`` or ``/path:size=16m,mode=1777``; one or a list."""
    found: dict[str, str] = {}
    items = (
        [node] if isinstance(node, str) else reader.items(node, path, "a path or a list of paths")
    )
    for index, item in enumerate(items):
        place = path if isinstance(node, str) else f"{path}[{index}]"
        where, _, options = item.partition(":") if isinstance(item, str) else ("", "", "")
        target = clean_path(where)
        if target is None or target == "/" or not _TMPFS.fullmatch(options) or options[-1:] == ",":
            reader.problem(place, show(item), "/path or /path:size=16m,mode=1777")
            continue
        if target in found:
            reader.problem(place, f"a second tmpfs at {show(target)}", "each target once")
        found[target] = options
    return found


def read_networks(
    node: Any, path: str, declared: dict[str, Any], reader: Reader
) -> dict[str, dict[str, Any]]:
    """Read the networks of a service with their aliases; none written means ``default``."""
    found: dict[str, dict[str, Any]] = {}
    if isinstance(node, list):
        for index, item in enumerate(node):
            name = reader.text(item, f"{path}[{index}]", "a network's name")
            found[name] = {"aliases": []}
    elif node is not None:
        for name, value in reader.mapping(node, path).items():
            place = child(path, name)
            aliases = reader.mapping(value, place, ("aliases",)).get("aliases")
            found[name] = {"aliases": reader.texts(aliases, f"{place}.aliases", "a list of names")}
    for name in found:
        if name != "default" and name not in declared:
            reader.problem(
                path,
                f"network {show(name)} is not declared",
                "its name under the top-level networks",
            )
    return found or {"default": {"aliases": []}}
