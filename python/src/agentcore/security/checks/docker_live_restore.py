"""Containers keep running while the daemon restarts."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, pass_if
from agentcore.security.host.daemon import SUBJECT, Daemon, judge
from agentcore.security.host.tree import Host

_WORDS = {True: "true", False: "false", None: "not set"}


def _run(host: Host) -> list[Outcome]:
    return judge(host, _rule)


def _rule(daemon: Daemon) -> Outcome:
    value = daemon.switch("live-restore")
    return pass_if(value is True, SUBJECT, f"live-restore is {_WORDS[value]}")


CHECK = Check(
    id="docker-live-restore",
    title="containers keep running while the Docker daemon restarts",
    severity="low",
    reference="CIS Docker 1.6.0 2.15",
    fix='Set `"live-restore": true` in /etc/docker/daemon.json and reload the daemon.',
    run=_run,
)
