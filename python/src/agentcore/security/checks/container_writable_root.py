"""A container's own root is read-only."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, pass_if
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    read_only = container.flag("ReadonlyRootfs")
    word = "true" if read_only else "false"
    return pass_if(read_only, container.name, f"ReadonlyRootfs is {word}")


CHECK = Check(
    id="container-writable-root",
    title="a container's root is read-only",
    severity="medium",
    reference="CIS Docker 1.6.0 5.13",
    fix="Start it with `--read-only`, and `--tmpfs` or a volume for what it must write.",
    run=_run,
)
