"""Binds the one listening socket, and takes a Unix socket's file away afterwards."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from agentcore.daemon.listen import Listen
from agentcore.errors import ConfigurationError

__all__ = ["bind"]

_BACKLOG = 1024


@contextlib.contextmanager
def bind(listen: Listen, mode: int) -> Iterator[socket.socket]:
    """Bind and listen; a Unix socket gets ``mode`` and replaces a dead one's file.

    Raises:
        ConfigurationError: the address is taken or cannot be bound.
    """
    sock = _unix(listen.unix, mode) if listen.unix else _tcp(listen)
    file = listen.unix.stat().st_ino if listen.unix else 0
    try:
        sock.listen(_BACKLOG)
        sock.setblocking(False)
        yield sock
    finally:
        sock.close()
        if listen.unix:
            with contextlib.suppress(OSError):
                if listen.unix.stat().st_ino == file:  # else a successor has bound it again
                    listen.unix.unlink()


def _tcp(listen: Listen) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if listen.is_ipv6 else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((listen.host, listen.port))
    except OSError as error:
        sock.close()
        raise _refusal(error, f"--listen {listen}", "a free port of this machine") from None
    return sock


def _unix(path: Path, mode: int) -> socket.socket:
    where = f"--uds {path}"
    sock = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX) as other:
                other.settimeout(1.0)
                if other.connect_ex(str(path)) in (0, errno.EAGAIN):
                    raise ConfigurationError("another process listens there", where, "a free path")
            path.unlink()  # left behind by a process that was killed
        sock.bind(str(path))
        path.chmod(mode)
    except OSError as error:
        sock.close()
        raise _refusal(error, where, "a path in a folder that can be written") from None
    except ConfigurationError:
        sock.close()
        raise
    return sock


def _refusal(error: OSError, where: str, expected: str) -> ConfigurationError:
    return ConfigurationError(f"cannot be bound: {error.strerror or error}", where, expected)
