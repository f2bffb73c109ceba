"""Where a stand-in listens: a TCP address or a Unix socket; the forms of the Rust daemons."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass
from pathlib import Path

_RIGHT = "expected HOST:PORT with an IP address, as in 127.0.0.1:9100 or [::1]:9100"


@dataclass(frozen=True, slots=True)
class Listen:
    """A listening address: TCP (``host``, ``port``; port 0 lets the system choose) or ``unix``."""

    host: str = ""
    port: int = 0
    unix: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it. A Unix socket is guarded by its file mode."""
        return self.unix is not None or ipaddress.ip_address(self.host).is_loopback

    @property
    def is_ipv6(self) -> bool:
        """Whether it is a TCP address of IP version 6."""
        return self.unix is None and ":" in self.host

    def __str__(self) -> str:
        if self.unix is not None:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Listen:
    """Read ``HOST:PORT``, ``:PORT`` (every IPv4 interface) or ``unix:/path``.

    Names are not resolved, except ``localhost``.

    Raises:
        argparse.ArgumentTypeError: which half is wrong and what would be right.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path.startswith("/"):
            raise _refuse(text, "a Unix socket needs an absolute path, as in unix:/run/agent.sock")
        return Listen(unix=Path(path))
    host, colon, port = text.rpartition(":")
    if not colon:
        raise _refuse(text, f"the port is missing; {_RIGHT}")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise _refuse(text, f"port {port!r} is not a number from 0 to 65535; {_RIGHT}")
    if host in ("", "localhost"):
        return Listen("127.0.0.1" if host else "0.0.0.0", int(port))  # noqa: S104  # as asked
    version = 6 if host.startswith("[") and host.endswith("]") else 4
    plain = host[1:-1] if version == 6 else host
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise _refuse(text, f"{plain!r} is not an IPv{version} address; {_RIGHT}")
    return Listen(plain, int(port))


def _refuse(text: str, why: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"invalid value {text!r}: {why}")
