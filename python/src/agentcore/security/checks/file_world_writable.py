"""Nothing in the system's own trees is writable by everybody."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed, unknown
from agentcore.security.host.tree import Host

_NAMED = 100
"""Offenders named one by one; the rest is counted."""
_TREES = "/bin, /etc, /lib, /opt, /sbin, /srv, /usr"


def _run(host: Host) -> list[Outcome]:
    walk = host.walk
    outcomes = [failed(path, f"mode {mode:04o}") for path, mode in walk.world_writable[:_NAMED]]
    if (rest := len(walk.world_writable) - _NAMED) > 0:
        outcomes.append(failed("(more files)", f"{rest} more"))
    outcomes += [unknown(problem.path, str(problem)) for problem in walk.unreadable[:_NAMED]]
    if outcomes:
        return outcomes
    if walk.entries == 0:
        return [unknown(_TREES, "found none of the trees to look at")]
    return [passed(_TREES, f"{walk.entries} entries looked at")]


CHECK = Check(
    id="file-world-writable",
    title="nothing in the system's own trees is writable by everybody",
    severity="high",
    reference="CIS Debian Linux: world-writable files",
    fix="Run `chmod o-w` on it, and find out what wrote there.",
    run=_run,
)
