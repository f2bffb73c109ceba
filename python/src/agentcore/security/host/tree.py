"""Reads files below a root as if the root were ``/``: symbolic links never lead out of it.

The auditor runs in a container with the host's tree mounted read-only somewhere. A link such as
``/var/run -> /run`` must then mean the host's ``/run``, not the container's.
"""

# Names are bytes here: a host's file names need not be text.
# ruff: noqa: PTH115, PTH116, PTH118, PTH123, PTH208

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcore.security.host.containers import Containers
    from agentcore.security.host.daemon import Daemon
    from agentcore.security.host.listeners import Listener
    from agentcore.security.host.processes import Process
    from agentcore.security.host.walk import Walk

_MAX_LINKS = 40
_MAX_FILE = 8 << 20
_PIECE = 1 << 16
_NAMED = {
    errno.EPERM: "EPERM",
    errno.ENOENT: "ENOENT",
    errno.EIO: "EIO",
    errno.EACCES: "EACCES",
    errno.ENOTDIR: "ENOTDIR",
    errno.EISDIR: "EISDIR",
    errno.EINVAL: "EINVAL",
    errno.ENFILE: "ENFILE",
    errno.EMFILE: "EMFILE",
    errno.EFBIG: "EFBIG",
    errno.ENAMETOOLONG: "ENAMETOOLONG",
    errno.ELOOP: "ELOOP",
    errno.ESTALE: "ESTALE",
}


class UnreadableError(Exception):
    """A file that exists but cannot be read; its state is unknown."""

    def __init__(self, path: str, code: int) -> None:
        super().__init__(path, code)
        self.path = path
        self.code = code

    def __str__(self) -> str:
        return f"cannot read {self.path} ({_NAMED.get(self.code, f'errno {self.code}')})"


@dataclass(frozen=True, slots=True)
class Meta:
    """Owner, group and permission bits (07777) of a file, and whether it is a directory or file."""

    mode: int
    uid: int
    gid: int
    is_dir: bool
    is_file: bool

    @classmethod
    def of(cls, found: os.stat_result) -> Meta:
        """Take what the checks need from a ``stat``."""
        mode = found.st_mode
        return cls(
            mode & 0o7777, found.st_uid, found.st_gid, stat.S_ISDIR(mode), stat.S_ISREG(mode)
        )


class Root:
    """A directory taken for ``/``."""

    def __init__(self, path: str | Path) -> None:
        self.place = os.fsencode(path)

    def read(self, path: str) -> str | None:
        """A file's text, None if there is none. Bytes that are not UTF-8 are replaced.

        Raises:
            UnreadableError: it is there and can't be read.
        """
        try:
            place = self.resolve(path)
            if not stat.S_ISREG(os.stat(place).st_mode):
                raise OSError(errno.EISDIR, "")  # never block on a pipe or a device
            data = b""
            with open(place, "rb", buffering=0) as file:
                # In small pieces: the kernel refuses large reads of /proc/sys (ENOMEM).
                while piece := file.read(_PIECE):
                    data += piece
                    if len(data) > _MAX_FILE:
                        raise OSError(errno.EFBIG, "")
        except OSError as error:
            _raise_unless_absent(path, error)
            return None
        return data.decode("utf-8", "replace")

    def stat(self, path: str) -> Meta | None:
        """Owner and mode of what ``path`` leads to, None if there is nothing.

        Raises:
            UnreadableError: it can't be looked at.
        """
        try:
            return Meta.of(os.lstat(self.resolve(path)))
        except OSError as error:
            _raise_unless_absent(path, error)
            return None

    def list(self, path: str) -> list[str] | None:
        """The names in a directory, sorted by their bytes; None if there is no such directory.

        Raises:
            UnreadableError: it can't be listed.
        """
        try:
            names = sorted(os.listdir(self.resolve(path)))
        except OSError as error:
            _raise_unless_absent(path, error)
            return None
        return [name.decode("utf-8", "replace") for name in names]

    def resolve(self, path: str) -> bytes:
        """Where ``path`` leads, links followed inside the root. The last part need not exist."""
        todo = deque(_parts(os.fsencode(path)))
        below: list[bytes] = []
        links = 0
        while todo:
            part = todo.popleft()
            if part == b"..":
                if below:
                    below.pop()
                continue
            here = os.path.join(self.place, *below, part)
            try:
                is_link = stat.S_ISLNK(os.lstat(here).st_mode)
            except FileNotFoundError:
                is_link = False
            if not is_link:
                below.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, "")
            target = os.readlink(here)
            if target.startswith(b"/"):
                below.clear()
            todo.extendleft(reversed(_parts(target)))
        return os.path.join(self.place, *below)


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in (b"", b".")]


def _raise_unless_absent(path: str, error: OSError) -> None:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return
    raise UnreadableError(path, error.errno or errno.EIO) from None


class Host:
    """A host as seen through its root and its procfs.

    What was read once is not read again, so all checks of one audit speak of the same moment.
    """

    def __init__(self, rootfs: str | Path, procfs: str | Path) -> None:
        self.root = Root(rootfs)
        self.procfs = Root(procfs)

    @cached_property
    def daemon(self) -> Daemon:
        """The Docker daemon's configuration."""
        from agentcore.security.host import daemon

        return daemon.read(self)

    @cached_property
    def containers(self) -> Containers:
        """The containers of the Docker engine."""
        from agentcore.security.host import containers

        return containers.read(self)

    @cached_property
    def _listeners(self) -> list[Listener] | UnreadableError:
        from agentcore.security.host import listeners

        try:
            return listeners.read(self)
        except UnreadableError as problem:
            return problem

    @property
    def listeners(self) -> list[Listener]:
        """The listening TCP sockets of the host's network namespace.

        Raises:
            UnreadableError: they can't be known.
        """
        if isinstance(self._listeners, UnreadableError):
            raise self._listeners
        return self._listeners

    @cached_property
    def _processes(self) -> list[Process] | UnreadableError:
        from agentcore.security.host import processes

        try:
            return processes.read(self)
        except UnreadableError as problem:
            return problem

    @property
    def processes(self) -> list[Process]:
        """The processes the host's procfs shows, by process id.

        Raises:
            UnreadableError: they can't be known.
        """
        if isinstance(self._processes, UnreadableError):
            raise self._processes
        return self._processes

    @cached_property
    def walk(self) -> Walk:
        """The walk over the key paths."""
        from agentcore.security.host import walk

        return walk.walk(self.root)
