"""A connection of the twin: a socket that never blocks, with TLS or without.

Waiting is not done here: the generators of this package yield what they wait for (``Wait``,
``Sleep``, ``Find``, ``Enter``, ``Next``), and a driver, blocking or of asyncio, sees to it. So both
drivers run the same code.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Generator
from typing import Any, NamedTuple

from agentcore.http.fault import Fault

__all__ = ["Enter", "Find", "Late", "Link", "Next", "Sleep", "Steps", "Wait", "shake"]


class Late(Exception):  # noqa: N818 - it is thrown into a generator, and never leaves it
    """The time for what was waited for is up."""


class Wait(NamedTuple):
    """Until the socket can be read, or written to, or real time reaches ``until``."""

    sock: socket.socket
    read: bool
    write: bool
    until: float


class Sleep(NamedTuple):
    """So many seconds by the clock of policies."""

    seconds: float


class Find(NamedTuple):
    """The addresses of a name."""

    host: str
    port: int
    until: float


class Enter(NamedTuple):
    """A place among the requests under way."""

    until: float


class Next(NamedTuple):
    """The next piece of an asynchronous body."""

    pieces: AsyncIterator[Any]
    until: float


Steps = Generator[Any, Any, Any]


class Link:
    """A connection that is ready for requests, one at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.h2: Any = None
        self.idle_since = 0.0
        self.used = False
        self.ahead = bytearray()

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Put TLS on top; the handshake is still to be done."""
        name = host.strip("[]")
        self.sock = context.wrap_socket(
            self.sock, server_hostname=name, do_handshake_on_connect=False
        )

    def read(self, size: int = 65536) -> bytes | None:
        """Return what is there: empty at the end, None if nothing is yet.

        Raises:
            OSError: the connection broke.
        """
        try:
            return self.sock.recv(size)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
            return None

    def write(self, data: bytes | memoryview) -> int:
        """Send what the socket takes; return how much.

        Raises:
            OSError: the connection broke.
        """
        try:
            return self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
            return 0

    def is_usable(self) -> bool:
        """Tell whether another request may be sent: nothing came, nothing ended."""
        if self.h2 is not None:
            return bool(self.h2.is_usable(self))
        if self.ahead:
            return False
        try:
            return self.read(1) is None
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the socket."""
        self.sock.close()


_REASONS = {
    10: "it has expired",
    62: "it is for another name",
    64: "it is for another name",
    18: "its issuer is unknown",
    19: "its issuer is unknown",
    20: "its issuer is unknown",
    21: "its issuer is unknown",
}


def shake(link: Link, host: str, until: float) -> Steps:
    """Do the TLS handshake.

    Raises:
        Fault: of kind ``tls``.
    """
    sock = link.sock
    assert isinstance(sock, ssl.SSLSocket)  # noqa: S101 - by the only caller
    while True:
        try:
            sock.do_handshake()
            return
        except ssl.SSLWantReadError:
            yield Wait(sock, read=True, write=False, until=until)
        except ssl.SSLWantWriteError:
            yield Wait(sock, read=False, write=True, until=until)
        except ssl.SSLCertVerificationError as error:
            reason = _REASONS.get(error.verify_code, "it is not valid")
            text = f"the certificate of '{host}' is not trusted: {reason}"
            raise Fault("tls", text) from None
        except OSError:
            raise Fault("tls", f"the TLS handshake with '{host}' failed") from None
