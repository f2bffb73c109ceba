"""Reads what a service may reach and do: networks, namespaces, capabilities, confinement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agentcore.containers.mounts import read_networks
from agentcore.containers.reading import Reader
from agentcore.containers.values import show

__all__ = ["Surroundings", "read_network", "read_rights"]

_CAPABILITY = re.compile(r"(?:CAP_)?([A-Z_]{2,40})", re.A)
_APPARMOR = re.compile(r"apparmor[=:][A-Za-z0-9_.-]{1,64}", re.A)


@dataclass(frozen=True)
class Surroundings:
    """What a service is read against."""

    variables: dict[str, str]
    policy: dict[str, Any]
    networks: dict[str, Any]
    volumes: dict[str, Any]


def read_network(
    s: dict[str, Any], path: str, around: Surroundings, service: dict[str, Any], reader: Reader
) -> None:
    """Read ``network_mode`` or ``networks`` into the service."""
    mode = s.get("network_mode")
    service["network_mode"] = "" if mode is None else mode
    if mode is None:
        service["networks"] = read_networks(
            s.get("networks"), f"{path}.networks", around.networks, reader
        )
        return
    service["networks"] = {}
    if mode not in ("none", "host"):
        reader.problem(f"{path}.network_mode", show(mode), "none or host, or the key networks")
    elif mode == "host" and not around.policy["allow_host_network"]:
        reader.problem(
            f"{path}.network_mode",
            "the host's network",
            "none, or allow_host_network in the policy",
        )
    if s.get("networks") is not None:
        reader.problem(f"{path}.networks", "written beside network_mode", "one of the two")


def read_rights(
    s: dict[str, Any], path: str, around: Surroundings, service: dict[str, Any], reader: Reader
) -> None:
    """Read what the container may do beyond its own walls into the service."""
    service["privileged"] = reader.boolean(s.get("privileged"), f"{path}.privileged")
    if service["privileged"] and not around.policy["allow_privileged"]:
        reader.problem(
            f"{path}.privileged", "true gives the host", "false, or allow_privileged in the policy"
        )
    for key in ("pid", "ipc"):
        value = s.get(key)
        service[key] = "" if value is None else value
        if value is not None and value != "host":
            reader.problem(f"{path}.{key}", show(value), "host, or no such key")
        elif value == "host" and not around.policy["allow_host_pid"]:
            reader.problem(
                f"{path}.{key}",
                "the host's namespace",
                "no such key, or allow_host_pid in the policy",
            )
    service["cap_drop"] = _capabilities(s.get("cap_drop"), f"{path}.cap_drop", reader)
    service["cap_add"] = _capabilities(s.get("cap_add"), f"{path}.cap_add", reader)
    for name in service["cap_add"]:
        if name not in around.policy["cap_add"]:
            reader.problem(
                f"{path}.cap_add",
                f"capability {name} is not allowed",
                "one of the policy's cap_add: " + ", ".join(around.policy["cap_add"]),
            )
    options = reader.texts(s.get("security_opt"), f"{path}.security_opt", "a list of options")
    service["security_opt"] = [
        _security_option(option, f"{path}.security_opt[{index}]", around.policy, reader)
        for index, option in enumerate(options)
    ]


def _capabilities(node: Any, path: str, reader: Reader) -> list[str]:
    found: list[str] = []
    for index, text in enumerate(reader.texts(node, path, "a list of capabilities")):
        match = _CAPABILITY.fullmatch(text.upper() if text.isascii() else "")
        if match is None:
            reader.problem(
                f"{path}[{index}]", show(text), "a capability such as NET_BIND_SERVICE or ALL"
            )
        elif match[1] not in found:
            found.append(match[1])
    return sorted(found)


def _security_option(text: str, path: str, policy: dict[str, Any], reader: Reader) -> str:
    if text in (
        "seccomp=unconfined",
        "seccomp:unconfined",
        "apparmor=unconfined",
        "apparmor:unconfined",
    ):
        if not policy["allow_unconfined"]:
            reader.problem(path, show(text), "confinement, or allow_unconfined in the policy")
        return text.replace(":", "=")
    if text in ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"):
        return "no-new-privileges:true"
    if not _APPARMOR.fullmatch(text):
        reader.problem(
            path,
            show(text),
            "no-new-privileges:true, apparmor=NAME, or an allowed seccomp=unconfined",
        )
    return text.replace(":", "=")
