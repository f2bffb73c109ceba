"""The private SSH host keys are readable by root alone."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, not_applicable, unknown
from agentcore.security.glob import matches
from agentcore.security.host import judges
from agentcore.security.host.tree import Host, UnreadableError


def _run(host: Host) -> list[Outcome]:
    try:
        names = host.root.list("/etc/ssh") or []
    except UnreadableError as problem:
        return [unknown("/etc/ssh", str(problem))]
    keys = [f"/etc/ssh/{name}" for name in names if matches("ssh_host_*_key", name)]
    if not keys:
        return [not_applicable("/etc/ssh", "there are no host keys")]
    judged = (judges.mode(host, key, 0o640, ("ssh_keys",)) for key in keys)
    return [outcome for outcome in judged if outcome is not None]


CHECK = Check(
    id="file-ssh-host-keys",
    title="the private SSH host keys are readable by root alone",
    severity="high",
    reference="Lynis FILE-7524",
    fix="Run `chown root:root` and `chmod 0600` on the key; make a new one if others read it.",
    run=_run,
)
