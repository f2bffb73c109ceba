"""The processes a procfs shows: id, name, owner, and how deep in pid namespaces they live."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass

from agentcore.security.host.tree import Host, UnreadableError
from agentcore.security.host.words import lines, trim, unsigned, words


@dataclass(frozen=True, slots=True)
class Process:
    """A process; ``depth`` counts pid namespaces from the reader's down, 1 is the host itself."""

    pid: int
    name: str
    uid: int
    depth: int


def read(host: Host) -> list[Process]:
    """All processes by id. One that ends while we read is left out.

    Raises:
        UnreadableError: there is no procfs.
    """
    names = host.procfs.list("/")
    if names is None:
        raise UnreadableError("/proc", errno.ENOENT)
    found = []
    for pid in sorted(filter(None, (unsigned(name, 2**32 - 1) for name in names))):
        with contextlib.suppress(UnreadableError):  # ended between the listing and the read
            text = host.procfs.read(f"/{pid}/status")
            process = _parse(pid, text) if text is not None else None
            if process is not None:
                found.append(process)
    return found


def _parse(pid: int, status: str) -> Process | None:
    fields: dict[str, str] = {}
    for line in lines(status):
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key, trim(value))
    if "Name" not in fields or not (uids := words(fields.get("Uid", ""))):
        return None
    uid = unsigned(uids[0], 2**32 - 1)
    if uid is None:
        return None
    depth = len(words(fields["NSpid"])) if "NSpid" in fields else 1
    return Process(pid, fields["Name"], uid, depth)
