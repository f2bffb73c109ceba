"""SSH refuses accounts without a password."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import sshd
from agentcore.security.host.tree import Host

_GOOD = ("no",)


def _run(host: Host) -> list[Outcome]:
    return sshd.judge(host, "PermitEmptyPasswords", "no", _GOOD)


CHECK = Check(
    id="ssh-empty-passwords",
    title="SSH refuses accounts without a password",
    severity="critical",
    reference="Lynis SSH-7408",
    fix="Set `PermitEmptyPasswords no` in /etc/ssh/sshd_config and reload sshd.",
    run=_run,
)
