"""Listening TCP sockets, from ``/proc/1/net/tcp`` and ``tcp6`` (format: proc(5))."""

from __future__ import annotations

import errno
import ipaddress
import struct
from dataclasses import dataclass

from agentcore.security.host.tree import Host, Root, UnreadableError
from agentcore.security.host.words import hexadecimal, lines, unsigned, words

_LISTEN = "0A"


@dataclass(frozen=True, order=True, slots=True)
class Listener:
    """A listening TCP socket; ``proto`` is ``tcp`` or ``tcp6``."""

    proto: str
    address: str
    port: int
    uid: int

    @property
    def place(self) -> str:
        """``127.0.0.1:80`` or ``[::1]:80``."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else self.plain

    @property
    def plain(self) -> str:
        """Address and port without brackets."""
        return f"{self.address}:{self.port}"

    @property
    def on_all_addresses(self) -> bool:
        """Bound to every address of the host."""
        return self.address in ("0.0.0.0", "::", "::ffff:0.0.0.0")  # noqa: S104  # compared, not bound


def read(host: Host) -> list[Listener]:
    """The listeners of the namespace that process 1 lives in, sorted; each once.

    Raises:
        UnreadableError: the table is missing or can't be read.
    """
    found: set[Listener] = set()
    for proto in ("tcp", "tcp6"):
        text = _table(host.procfs, proto)
        if text is None:
            if proto == "tcp":
                raise UnreadableError("/proc/net/tcp", errno.ENOENT)
            continue
        found.update(filter(None, (_parse(proto, line) for line in lines(text)[1:])))
    return sorted(found)


def _table(procfs: Root, proto: str) -> str | None:
    text = procfs.read(f"/1/net/{proto}")
    return procfs.read(f"/net/{proto}") if text is None else text


def _parse(proto: str, line: str) -> Listener | None:
    fields = words(line)
    if len(fields) < 8 or fields[3] != _LISTEN:
        return None
    hex_address, colon, hex_port = fields[1].partition(":")
    address, port = _decode(hex_address), hexadecimal(hex_port, 65535)
    uid = unsigned(fields[7], 2**32 - 1)
    if not colon or address is None or port is None or uid is None:
        return None
    return Listener(proto, address, port, uid)


def _decode(text: str) -> str | None:
    """The kernel prints each 32-bit word of the address in the machine's order (little-endian)."""
    if len(text) not in (8, 32):
        return None
    parts = [hexadecimal(text[n : n + 8], 2**32 - 1) for n in range(0, len(text), 8)]
    if None in parts:
        return None
    return address_text(ipaddress.ip_address(struct.pack(f"<{len(parts)}I", *parts)))


def address_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as text; a mapped IPv4 address shows as one (Python before 3.13 doesn't)."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)
