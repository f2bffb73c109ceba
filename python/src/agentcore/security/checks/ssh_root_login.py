"""Root may not log in over SSH with a password."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import sshd
from agentcore.security.host.tree import Host

_GOOD = ("no", "prohibit-password", "without-password", "forced-commands-only")


def _run(host: Host) -> list[Outcome]:
    return sshd.judge(host, "PermitRootLogin", "prohibit-password", _GOOD)


CHECK = Check(
    id="ssh-root-login",
    title="root may not log in over SSH with a password",
    severity="high",
    reference="Lynis SSH-7408",
    fix="Set `PermitRootLogin no` or `prohibit-password` in /etc/ssh/sshd_config, reload sshd.",
    run=_run,
)
