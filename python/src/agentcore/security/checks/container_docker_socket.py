"""No container can reach the socket of a container engine: whoever can is root on the host.

A bind above the socket is fine where another mount of the container hides it.
"""

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
    masks = _masks(container)
    shown, hidden = [], []
    for bind in filter(_reaches, container.binds):
        place = f"{bind.source} at {bind.destination}"
        by = _hidden_by(bind, masks)
        if by is None:
            shown.append(place)
        else:
            hidden.append(f"{place} is masked by {' and '.join(by)}")
    if shown:
        return failed(container.name, f"mounts {', '.join(shown)}")
    if hidden:
        return passed(container.name, f"no engine socket is seen: {', '.join(hidden)}")
    return passed(container.name, "no engine socket is mounted")


def _reaches(bind: Bind) -> bool:
    """The bind is a socket or a folder above one; ``/`` alone, without mounts, has no ``/run``."""
    if bind.source == "/" and not bind.recursive:
        return False
    return any(is_within(socket, bind.source) for socket in _SOCKETS)


def _masks(container: Container) -> list[str]:
    """Where a mount hides what a bind shows: a tmpfs, or a bind of something without a socket.

    A volume does not count, for its options may bind any path.
    """
    harmless = [bind.destination for bind in container.binds if not _reaches(bind)]
    return sorted([*container.tmpfs, *harmless])


def _hidden_by(bind: Bind, masks: list[str]) -> list[str] | None:
    """The masks that hide every socket the bind holds; None if one stays in sight."""
    by: list[str] = []
    for socket in _SOCKETS:
        if is_within(socket, bind.source):
            mask = _mask_over(bind, socket, masks)
            if mask is None:
                return None
            if mask not in by:
                by.append(mask)
    return by


def _mask_over(bind: Bind, socket: str, masks: list[str]) -> str | None:
    """A mask strictly below the bind and above the place where the socket appears.

    The engine mounts deeper paths later. A mask at ``…/var/run`` is none for ``…/run``: the link
    may lead elsewhere.
    """
    seen = bind.destination + socket.removeprefix(bind.source.rstrip("/"))
    return next(
        (
            mask
            for mask in masks
            if mask != bind.destination
            and is_within(mask, bind.destination)
            and is_within(seen, mask)
        ),
        None,
    )


CHECK = Check(
    id="container-docker-socket",
    title="no container can reach the socket of a container engine",
    severity="critical",
    reference="CIS Docker 1.6.0 5.32",
    fix="Mount no socket and no folder above it, or mask it by a tmpfs; read-only does not help.",
    run=_run,
)
