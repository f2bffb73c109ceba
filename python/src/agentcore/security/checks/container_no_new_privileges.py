"""No program in a container can gain rights by setuid files."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, pass_if
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host

_SPELLINGS = ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true")


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    options = container.items("SecurityOpt")
    good = any(option in _SPELLINGS for option in options)
    good = good or container.config.get("NoNewPrivileges") is True
    evidence = "no-new-privileges is set" if good else "no-new-privileges is not set"
    return pass_if(good, container.name, evidence)


CHECK = Check(
    id="container-no-new-privileges",
    title="no program in a container can gain new privileges",
    severity="medium",
    reference="CIS Docker 1.6.0 5.26",
    fix="Start it with `--security-opt no-new-privileges`.",
    run=_run,
)
