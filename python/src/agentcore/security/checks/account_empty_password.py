"""Every account that can log in has a password or none at all that works."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed, unknown
from agentcore.security.host.judges import account_entries
from agentcore.security.host.tree import Host, UnreadableError


def _run(host: Host) -> list[Outcome]:
    outcomes: list[Outcome] = []
    seen = sum(_judge(host, path, outcomes) for path in ("/etc/passwd", "/etc/shadow"))
    return outcomes or [passed("accounts", f"{seen} entries looked at")]


def _judge(host: Host, path: str, outcomes: list[Outcome]) -> int:
    """Add what is wrong in one file; the number of its entries."""
    try:
        entries = account_entries(host, path)
    except UnreadableError as problem:
        outcomes.append(unknown(path, str(problem)))
        return 0
    if entries is None:
        outcomes.append(unknown(path, f"{path} does not exist"))
        return 0
    outcomes += [
        failed(fields[0], f"the password field in {path} is empty")
        for fields in entries
        if len(fields) > 1 and not fields[1]
    ]
    return len(entries)


CHECK = Check(
    id="account-empty-password",
    title="no account has an empty password",
    severity="critical",
    reference="Lynis AUTH-9283",
    fix="Lock the account with `passwd -l NAME`, or give it a password.",
    run=_run,
)
