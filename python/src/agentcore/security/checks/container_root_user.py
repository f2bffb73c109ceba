"""Containers do not run as root."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, MissingError, each
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    remap = bool(host.daemon.text("userns-remap"))
    return each(host, lambda container: _rule(container, remap))


def _rule(container: Container, remap: bool) -> Outcome:
    user = container.inner("User")
    if not isinstance(user, str):
        raise MissingError("config.v2.json has no text Config.User")
    name = user.split(":")[0]
    if name.strip("0") and name != "root":
        return passed(container.name, f"user {user}")
    if remap and container.text("UsernsMode") != "host":
        return passed(container.name, "root of a remapped user namespace")
    return failed(container.name, f"user {user}" if user else "no user is set")


CHECK = Check(
    id="container-root-user",
    title="containers do not run as root",
    severity="medium",
    reference="CIS Docker 1.6.0 4.1",
    fix="Set `USER` in the image or start it with `--user`; or remap users in the daemon.",
    run=_run,
)
