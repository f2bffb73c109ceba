"""A container cannot fill the host's process table."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, pass_if
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    limit = container.number("PidsLimit")
    evidence = f"{limit} processes" if limit > 0 else "no pids limit"
    return pass_if(limit > 0, container.name, evidence)


CHECK = Check(
    id="container-pids-limit",
    title="a container cannot fill the host's process table",
    severity="medium",
    reference="CIS Docker 1.6.0 5.29",
    fix="Start it with `--pids-limit`.",
    run=_run,
)
