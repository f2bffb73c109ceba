"""No container may write to the host's own trees."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, each, is_within
from agentcore.security.host.tree import Host

_TREES = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/root",
    "/sbin",
    "/sys",
    "/usr",
)
"""Trees of the host; nothing in them may be writable from a container."""
_WHOLE = ("/", "/home", "/run", "/var")
"""Folders that may not be given as a whole."""


def _run(host: Host) -> list[Outcome]:
    data_root = host.daemon.data_root
    return each(host, lambda container: _rule(container, data_root))


def _rule(container: Container, data_root: str) -> Outcome:
    bad = [
        f"{bind.source} at {bind.destination}"
        for bind in container.binds
        if bind.writable
        and (
            bind.source in _WHOLE
            or any(is_within(bind.source, tree) for tree in (*_TREES, data_root))
        )
    ]
    if bad:
        return failed(container.name, f"may write to {', '.join(bad)}")
    return passed(container.name, "none of them is writable")


CHECK = Check(
    id="container-sensitive-mounts",
    title="no container may write to the host's own trees",
    severity="high",
    reference="CIS Docker 1.6.0 5.6",
    fix="Mount it read-only, or mount a folder of its own or a volume instead.",
    run=_run,
)
