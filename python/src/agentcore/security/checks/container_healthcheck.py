"""Every container can be asked whether it is well."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    check = container.inner("Healthcheck")
    test = check.get("Test") if isinstance(check, dict) else None
    kind = test[0] if isinstance(test, list) and test else None
    if kind == "NONE":
        return failed(container.name, "the healthcheck is switched off")
    if isinstance(kind, str) and kind:
        return passed(container.name, f"a {kind} healthcheck")
    return failed(container.name, "no healthcheck")


CHECK = Check(
    id="container-healthcheck",
    title="every container has a healthcheck",
    severity="low",
    reference="CIS Docker 1.6.0 4.6, 5.27",
    fix="Add `HEALTHCHECK` to the image or start it with `--health-cmd`.",
    run=_run,
)
