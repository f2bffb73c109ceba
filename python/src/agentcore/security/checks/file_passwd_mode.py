"""Only root may change the account files."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import judges
from agentcore.security.host.tree import Host


def _run(host: Host) -> list[Outcome]:
    return judges.modes(host, ("/etc/passwd", "/etc/group"), 0o644)


CHECK = Check(
    id="file-passwd-mode",
    title="only root may change the account files",
    severity="critical",
    reference="Lynis FILE-7524",
    fix="Run `chown root:root` and `chmod 0644` on the file.",
    run=_run,
)
