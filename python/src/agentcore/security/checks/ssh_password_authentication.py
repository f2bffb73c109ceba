"""SSH takes keys, not passwords."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import sshd
from agentcore.security.host.tree import Host

_GOOD = ("no",)


def _run(host: Host) -> list[Outcome]:
    return sshd.judge(host, "PasswordAuthentication", "yes", _GOOD)


CHECK = Check(
    id="ssh-password-authentication",
    title="SSH takes keys, not passwords",
    severity="medium",
    reference="Lynis SSH-7408",
    fix="Set `PasswordAuthentication no` in /etc/ssh/sshd_config and reload sshd.",
    run=_run,
)
