"""Judges shared by checks: kernel settings, owner and mode of files, entries of account files."""

from __future__ import annotations

from collections.abc import Sequence

from agentcore.security.contract import Outcome, failed, not_applicable, pass_if, unknown
from agentcore.security.host.tree import Host, UnreadableError
from agentcore.security.host.words import trim

__all__ = ["account_entries", "failed", "mode", "modes", "sysctls"]


def sysctls(host: Host, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[Outcome]:
    """One outcome a setting under /proc/sys; one that this kernel lacks is not applicable."""
    outcomes = []
    for key, good in wanted:
        try:
            text = host.procfs.read(f"/sys/{key.replace('.', '/')}")
        except UnreadableError as problem:
            outcomes.append(unknown(key, str(problem)))
            continue
        if text is None:
            outcomes.append(not_applicable(key, "this kernel has no such setting"))
            continue
        value = trim(text)
        evidence = f"{key} = {value}, wants {' or '.join(good)}"
        outcomes.append(pass_if(value in good, key, evidence))
    return outcomes


def mode(host: Host, path: str, most: int, groups: Sequence[str] = ()) -> Outcome | None:
    """One outcome for one file, None if there is none. Modes are compared bit by bit.

    Args:
        host: the host.
        path: the file.
        most: the bits that may be set.
        groups: groups besides root that may own it.
    """
    try:
        meta = host.root.stat(path)
        if meta is None:
            return None
        group = "root" if meta.gid == 0 else _group_name(host, meta.gid)
    except UnreadableError as problem:
        return unknown(path, str(problem))
    evidence = (
        f"mode {meta.mode:04o}, uid {meta.uid}, group {meta.gid if group is None else group}; "
        f"wants at most {most:04o}, uid 0, group {' or '.join(('root', *groups))}"
    )
    good = not meta.mode & ~most and meta.uid == 0 and (group == "root" or group in groups)
    return pass_if(good, path, evidence)


def modes(host: Host, paths: Sequence[str], most: int, groups: Sequence[str] = ()) -> list[Outcome]:
    """One outcome a file that exists; if none exists, the check is not applicable."""
    judged = (mode(host, path, most, groups) for path in paths)
    outcomes = [outcome for outcome in judged if outcome is not None]
    return outcomes or [not_applicable(", ".join(paths), "no such file")]


def account_entries(host: Host, path: str) -> list[list[str]] | None:
    """The entries of a colon-separated file, without blank lines, comments and NIS markers.

    Returns:
        The fields of each entry; None if there is no such file.

    Raises:
        UnreadableError: it can't be read.
    """
    text = host.root.read(path)
    if text is None:
        return None
    return [
        line.split(":")
        for line in text.split("\n")
        if line and not line.startswith(("#", "+", "-"))
    ]


def _group_name(host: Host, gid: int) -> str | None:
    for fields in account_entries(host, "/etc/group") or []:
        if len(fields) > 2 and fields[2] == str(gid):
            return fields[0]
    return None
