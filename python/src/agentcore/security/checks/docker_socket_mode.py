"""The Docker socket is closed to all but root and the docker group."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, not_applicable, unknown
from agentcore.security.host import judges
from agentcore.security.host.tree import Host

_PATH = "/var/run/docker.sock"


def _run(host: Host) -> list[Outcome]:
    if not host.daemon.present:
        return [not_applicable(_PATH, "no Docker engine is installed")]
    judged = judges.mode(host, _PATH, 0o660, ("docker",))
    return [judged or unknown(_PATH, "the socket cannot be seen from here")]


CHECK = Check(
    id="docker-socket-mode",
    title="the Docker socket is closed to all but root and the docker group",
    severity="critical",
    reference="CIS Docker 1.6.0 3.15, 3.16",
    fix="Run `chown root:docker` and `chmod 0660` on the socket.",
    run=_run,
)
