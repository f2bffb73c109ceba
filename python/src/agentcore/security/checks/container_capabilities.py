"""Containers hold no more capabilities than Docker gives by default."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host
from agentcore.security.host.words import upper

_DEFAULT = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
"""What the Docker engine gives to every container that does not drop it."""


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    if container.flag("Privileged"):
        return failed(container.name, "all of them, for it is privileged")
    names = (upper(name).removeprefix("CAP_") for name in container.items("CapAdd"))
    added = sorted(name for name in names if name not in _DEFAULT)
    if added:
        return failed(container.name, f"adds {', '.join(added)}")
    return passed(container.name, "none beyond the default")


CHECK = Check(
    id="container-capabilities",
    title="containers hold no capability beyond Docker's default",
    severity="high",
    reference="CIS Docker 1.6.0 5.4",
    fix="Drop the capability, or waive it for this container with the reason it is needed.",
    run=_run,
)
