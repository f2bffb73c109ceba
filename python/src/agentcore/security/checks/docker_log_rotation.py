"""Container logs are kept, and cannot fill the disk."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.daemon import SUBJECT, Daemon, judge
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return judge(host, _rule)


def _rule(daemon: Daemon) -> Outcome:
    driver = daemon.text("log-driver")
    if driver is None:
        driver = "json-file"
    if driver == "none":
        return failed(SUBJECT, "log-driver none keeps no logs")
    if driver != "json-file":
        return passed(SUBJECT, f"log-driver {driver} rotates or forwards")
    size = daemon.log_option("max-size")
    if size is None or size == "-1":
        return failed(SUBJECT, "log-driver json-file without max-size grows for ever")
    return passed(SUBJECT, f"log-driver json-file, max-size {size}")


CHECK = Check(
    id="docker-log-rotation",
    title="container logs are kept and cannot fill the disk",
    severity="medium",
    reference="CIS Docker 1.6.0 2.13",
    fix='Set `"log-opts": {"max-size": "10m", "max-file": "3"}` in /etc/docker/daemon.json.',
    run=_run,
)
