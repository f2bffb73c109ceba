"""Password hashes are readable by root and the shadow group alone."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import judges
from agentcore.security.host.tree import Host

_PATHS = ("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-")


def _run(host: Host) -> list[Outcome]:
    return judges.modes(host, _PATHS, 0o640, ("shadow",))


CHECK = Check(
    id="file-shadow-mode",
    title="password hashes are readable by root and the shadow group alone",
    severity="critical",
    reference="Lynis FILE-7524",
    fix="Run `chown root:shadow` and `chmod 0640` on the file.",
    run=_run,
)
