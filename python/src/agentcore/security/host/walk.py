"""One walk over the paths where a planted or careless file does harm.

It finds files with setuid or setgid, and files and directories that everybody may write.
"""

# Names are bytes here: a host's file names need not be text.
# ruff: noqa: PTH118, PTH208

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field

from agentcore.security.host.tree import Meta, Root, UnreadableError

TREES = ("/bin", "/etc", "/lib", "/lib64", "/opt", "/sbin", "/srv", "/usr")
_MAX_ENTRIES = 1_000_000


@dataclass(slots=True)
class Walk:
    """What the walk found, each list sorted."""

    setuid: list[str] = field(default_factory=list)
    world_writable: list[tuple[str, int]] = field(default_factory=list)
    unreadable: list[UnreadableError] = field(default_factory=list)
    entries: int = 0

    def visit(self, place: bytes, shown: str, found: os.stat_result) -> None:
        """Look at one entry and, in a directory, at all below it."""
        self.entries += 1
        meta = Meta.of(found)
        sticky = meta.is_dir and meta.mode & 0o1000
        if meta.mode & 0o002 and (meta.is_file or meta.is_dir) and not sticky:
            self.world_writable.append((shown, meta.mode))
        if meta.is_file and meta.mode & 0o6000:
            self.setuid.append(shown)
        if meta.is_dir:
            self._descend(place, shown)

    def _descend(self, place: bytes, shown: str) -> None:
        try:
            names = sorted(os.listdir(place))
        except OSError as error:
            self._miss(shown, error.errno)
            return
        for name in names:
            inner = os.path.join(place, name)
            label = f"{shown}/{name.decode('utf-8', 'replace')}"
            if self.entries >= _MAX_ENTRIES:
                self._miss(label, errno.EFBIG)
                return
            try:
                found = os.lstat(inner)
            except OSError as error:
                self._miss(label, error.errno)
            else:
                self.visit(inner, label, found)

    def _miss(self, shown: str, code: int | None) -> None:
        if code != errno.ENOENT:  # gone while we walked is not an error
            self.unreadable.append(UnreadableError(shown, code or errno.EIO))


def walk(root: Root) -> Walk:
    """Walk `TREES` below ``root``; links among them (a merged ``/usr``) are not followed."""
    found = Walk()
    for tree in TREES:
        place = os.path.join(root.place, os.fsencode(tree[1:]))
        try:
            meta = os.lstat(place)
        except OSError:
            continue
        found.visit(place, tree, meta)
    found.setuid.sort()
    found.world_writable.sort()
    found.unreadable.sort(key=lambda problem: problem.path)
    return found
