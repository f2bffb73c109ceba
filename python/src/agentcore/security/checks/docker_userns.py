"""Root in a container is not root on the host."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.daemon import SUBJECT, Daemon, judge
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return judge(host, _rule)


def _rule(daemon: Daemon) -> Outcome:
    user = daemon.text("userns-remap")
    if user:
        return passed(SUBJECT, f"userns-remap is {user}")
    return failed(SUBJECT, "userns-remap is not set")


CHECK = Check(
    id="docker-userns",
    title="root in a container is not root on the host",
    severity="low",
    reference="CIS Docker 1.6.0 2.9",
    fix='Set `"userns-remap": "default"` in /etc/docker/daemon.json; images are pulled anew.',
    run=_run,
)
