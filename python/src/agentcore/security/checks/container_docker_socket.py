"""No container can reach the socket of a container engine: whoever can is root on the host."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Bind, Container, each, is_within
from agentcore.security.host.tree import Host

_SOCKETS = (
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
)
"""The sockets that give away the host."""


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    reached = [f"{b.source} at {b.destination}" for b in container.binds if _reaches(b)]
    if reached:
        return failed(container.name, f"mounts {', '.join(reached)}")
    return passed(container.name, "no engine socket is mounted")


def _reaches(bind: Bind) -> bool:
    """The bind is a socket or a folder above one; ``/`` alone, without mounts, has no ``/run``."""
    if bind.source == "/" and not bind.recursive:
        return False
    return any(is_within(socket, bind.source) for socket in _SOCKETS)


CHECK = Check(
    id="container-docker-socket",
    title="no container can reach the socket of a container engine",
    severity="critical",
    reference="CIS Docker 1.6.0 5.32",
    fix="Do not mount the socket or a folder above it; a read-only mount does not protect it.",
    run=_run,
)
