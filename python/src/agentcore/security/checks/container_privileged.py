"""No container runs privileged: with all capabilities, all devices and no filter."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, pass_if
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    privileged = container.flag("Privileged")
    word = "true" if privileged else "false"
    return pass_if(not privileged, container.name, f"Privileged is {word}")


CHECK = Check(
    id="container-privileged",
    title="no container runs privileged",
    severity="critical",
    reference="CIS Docker 1.6.0 5.5",
    fix="Remove `--privileged`; give the one capability or device it needs.",
    run=_run,
)
