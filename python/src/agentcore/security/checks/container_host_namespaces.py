"""Containers have process, IPC and network namespaces of their own."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host

_MODES = (("PidMode", "pid"), ("IpcMode", "ipc"), ("NetworkMode", "network"))


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    shared = [name for key, name in _MODES if container.text(key) == "host"]
    if shared:
        return failed(container.name, f"shares the host's {', '.join(shared)}")
    return passed(container.name, "namespaces of its own")


CHECK = Check(
    id="container-host-namespaces",
    title="containers do not share the host's pid, ipc or network namespace",
    severity="high",
    reference="CIS Docker 1.6.0 5.10, 5.16, 5.17",
    fix="Remove `--pid host`, `--ipc host` or `--network host`, or waive it with the reason.",
    run=_run,
)
