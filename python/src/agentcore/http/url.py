"""Addresses: strict, ASCII, without credentials; and what a ``Location`` means.

Deliberately smaller than WHATWG's: what two parsers could read differently is refused.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from agentcore.http.fault import Fault

__all__ = ["Url", "join_url", "parse_url"]

MAX_URL = 8192
_LABELS = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_ODD = re.compile(r'["<>\\^`{|}]')
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DEFAULT_PORT = {"http": 80, "https": 443}


class Url(NamedTuple):
    """A checked address.

    Attributes:
        scheme: ``http`` or ``https``.
        host: lower case; an IPv6 address keeps its brackets.
        port: as given, or the scheme's own.
        target: path and query, at least ``/``.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own."""
        own = _DEFAULT_PORT[self.scheme] == self.port
        return self.host if own else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what limits, breakers and connections belong to."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def path(self) -> str:
        """The path alone."""
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(text: str) -> Url:
    """Check and part an address.

    Raises:
        Fault: of kind ``input``.
    """
    if len(text.encode()) > MAX_URL:
        raise Fault("input", f"the URL is longer than {MAX_URL} bytes")
    for at, char in enumerate(text):
        if char <= " " or char == "\x7f":
            raise Fault("input", f"the URL holds a space or a control character at position {at}")
    for scheme in ("http", "https"):
        if text[: len(scheme) + 3].lower() == f"{scheme}://":
            break
    else:
        raise Fault("input", "the URL must begin with 'http://' or 'https://'")
    rest = text[len(scheme) + 3 :]
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    host, port = _authority(rest[:end], _DEFAULT_PORT[scheme])
    rest = rest[end:].partition("#")[0]
    target = _escape(rest if rest.startswith("/") else f"/{rest}")
    return Url(scheme, host, port, target)


def join_url(base: Url, location: bytes) -> Url:
    """Return what ``location``, the raw bytes of a header, means seen from ``base``.

    Raises:
        Fault: of kind ``redirect``.
    """
    text = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in location)
    if _SCHEME.match(text):
        absolute = text
    elif text.startswith("//"):
        absolute = f"{base.scheme}:{text}"
    else:
        reference = text.partition("#")[0]
        path, mark, query = reference.partition("?")
        query = mark + query
        if not reference:
            target = base.target
        elif not path:
            target = base.path + query
        elif path.startswith("/"):
            target = _without_dots(path) + query
        else:
            folder = base.path[: base.path.rindex("/") + 1]
            target = _without_dots(folder + path) + query
        absolute = base.origin + target
    try:
        return parse_url(absolute)
    except Fault as fault:
        raise Fault("redirect", f"the redirect leads nowhere: {fault.text}") from None


def _authority(authority: str, default: int) -> tuple[str, int]:
    if "@" in authority:
        raise Fault(
            "input",
            "the URL holds a user name or password; expected an 'authorization' header",
        )
    if not authority.isascii():
        raise Fault("input", "the URL's host is not ASCII; expected its form for DNS, 'xn--…'")
    if authority.startswith("["):
        end = authority.find("]") + 1 or len(authority)
        host, port = authority[:end], authority[end:]
        valid = host.endswith("]") and _is_ipv6(host[1:-1])
    else:
        end = authority.find(":") if ":" in authority else len(authority)
        host, port = authority[:end], authority[end:]
        valid = len(host) <= 253 and _LABELS.fullmatch(host) is not None
    if not valid:
        raise Fault("input", f"the URL's host '{host}' is none")
    return host.lower(), _port(port, default)


def _is_ipv6(text: str) -> bool:
    try:
        return _IPV6.fullmatch(text) is not None and bool(ipaddress.IPv6Address(text).packed)
    except ValueError:
        return False


def _port(text: str, default: int) -> int:
    if text in ("", ":"):
        return default
    digits = text.removeprefix(":") if text.startswith(":") else text
    if text.startswith(":") and re.fullmatch(r"[0-9]{1,5}", digits) and 1 <= int(digits) <= 65535:
        return int(digits)
    raise Fault("input", f"the URL's port '{digits}' is none; expected 1 to 65535")


def _escape(text: str) -> str:
    """Percent-encode what may not stand in an address."""
    if text.isascii() and not _ODD.search(text):
        return text
    return "".join(
        f"%{byte:02X}" if byte >= 0x80 or chr(byte) in '"<>\\^`{|}' else chr(byte)
        for byte in text.encode()
    )


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4, for a path that begins with a slash."""
    kept: list[str] = []
    segments = path[1:].split("/")
    for at, segment in enumerate(segments):
        if segment in (".", ".."):
            if segment == ".." and kept:
                kept.pop()
            if at == len(segments) - 1:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)
