"""The policy: what a template or sandbox may ask of the host. Data, never code.

The default refuses whatever gives a container the host: privileged mode, the host's process or
network namespace, the engine's socket, host paths, and capabilities beyond Docker's own set.
"""

from __future__ import annotations

from typing import Any

from agentcore.containers.contract import TemplateError
from agentcore.containers.reading import Reader
from agentcore.containers.values import clean_path, show

__all__ = ["SOCKETS", "parse_policy"]

SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/run/podman/podman.sock",
)
"""Paths of engine sockets: to hold one is to be root on the host."""

DEFAULT_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
"""What Docker grants anyway, so adding one back after ``cap_drop: [ALL]`` gives nothing new."""

FLAGS = (
    "allow_engine_socket",
    "allow_host_network",
    "allow_host_pid",
    "allow_privileged",
    "allow_unconfined",
    "sandbox_allow_network",
)
LIMITS = {
    "sandbox_max_memory_bytes": (536_870_912, 2**50),
    "sandbox_max_nano_cpus": (1_000_000_000, 10**12),
    "sandbox_max_pids": (256, 100_000),
    "sandbox_max_seconds": (120, 86_400),
}
"""name: (default, largest)."""
KEYS = tuple(sorted((*FLAGS, *LIMITS, "bind_mounts", "cap_add")))


def parse_policy(data: Any) -> dict[str, Any]:
    """Validate a policy and write out its defaults.

    Raises:
        TemplateError: an unknown key, a relative path, a value of the wrong type.
    """
    reader = Reader()
    node = reader.mapping(data, "policy", KEYS)
    policy: dict[str, Any] = {
        flag: reader.boolean(node.get(flag), f"policy.{flag}") for flag in FLAGS
    }
    for name, (default, high) in LIMITS.items():
        given = node.get(name)
        policy[name] = default if given is None else reader.whole(given, f"policy.{name}", 1, high)
    policy["bind_mounts"] = []
    for index, item in enumerate(
        reader.items(node.get("bind_mounts"), "policy.bind_mounts", "a list of absolute paths")
    ):
        path = clean_path(item) if isinstance(item, str) else None
        if path is None:
            reader.problem(f"policy.bind_mounts[{index}]", show(item), "an absolute path")
        else:
            policy["bind_mounts"].append(path)
    allowed = reader.texts(node.get("cap_add"), "policy.cap_add", "a list of capabilities")
    names = {name.upper().removeprefix("CAP_") for name in allowed if name.isascii()}
    policy["cap_add"] = sorted(names | (set() if "cap_add" in node else set(DEFAULT_CAPABILITIES)))
    if reader.problems:
        raise TemplateError(reader.problems)
    return policy


def inside(path: str, root: str) -> bool:
    """Say whether a normalized path is ``root`` or lies below it."""
    return path == root or root == "/" or path.startswith(root + "/")


def check_bind(source: str, path: str, policy: dict[str, Any], reader: Reader) -> None:
    """Note a problem unless the policy lets this host path into a container."""
    holds_socket = source.endswith("/docker.sock") or any(inside(s, source) for s in SOCKETS)
    if holds_socket and not policy["allow_engine_socket"]:
        reader.problem(
            path,
            f"{show(source)} holds the engine's socket, which gives the whole host",
            "no such mount, or allow_engine_socket in the policy",
        )
    elif not any(inside(source, root) for root in policy["bind_mounts"]):
        roots = ", ".join(policy["bind_mounts"]) or "none"
        reader.problem(
            path,
            f"host path {show(source)} is not allowed",
            f"a named volume or a path in the policy's bind_mounts ({roots})",
        )
