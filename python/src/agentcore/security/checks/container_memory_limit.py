"""A container cannot take all of the host's memory."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, pass_if
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    size = container.number("Memory")
    return pass_if(size > 0, container.name, f"{size} bytes" if size > 0 else "no memory limit")


CHECK = Check(
    id="container-memory-limit",
    title="a container cannot take all of the host's memory",
    severity="medium",
    reference="CIS Docker 1.6.0 5.11",
    fix="Start it with `--memory`.",
    run=_run,
)
