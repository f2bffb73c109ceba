"""Only root has user id 0."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed, unknown
from agentcore.security.host.judges import account_entries
from agentcore.security.host.tree import Host, UnreadableError

_PATH = "/etc/passwd"


def _run(host: Host) -> list[Outcome]:
    try:
        entries = account_entries(host, _PATH)
    except UnreadableError as problem:
        return [unknown(_PATH, str(problem))]
    if entries is None:
        return [unknown(_PATH, f"{_PATH} does not exist")]
    outcomes = [
        failed(fields[0], "has user id 0 and so every right of root")
        for fields in entries
        if fields[0] != "root" and len(fields) > 2 and fields[2] and not fields[2].strip("0")
    ]
    return outcomes or [passed("accounts", f"{len(entries)} entries looked at")]


CHECK = Check(
    id="account-uid-zero",
    title="only root has user id 0",
    severity="critical",
    reference="Lynis AUTH-9204",
    fix="Remove the account or give it a user id of its own.",
    run=_run,
)
