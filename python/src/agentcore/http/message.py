"""HTTP/1.1's messages: requests as bytes, and responses parsed by strict rules.

A response that two parsers could read differently is refused: both framings at once, two
lengths, folded lines, bare carriage returns or line feeds, chunk sizes that are no plain
hexadecimal number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from agentcore.http.fault import Fault
from agentcore.http.url import Url

__all__ = ["Body", "Fields", "Head", "checked_field", "checked_method", "parse_head", "write_head"]

Fields = Sequence[tuple[str, bytes]]

MAX_HEAD = 65536
MAX_FIELDS = 100
MAX_CHUNK_LINE = 256
MAX_TRAILER = 8192
MANAGED = frozenset(
    "connection content-length expect host keep-alive proxy-connection te transfer-encoding"
    " upgrade".split()
)
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_IS_TOKEN = re.compile(_TOKEN)
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*)\r\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_METHOD = re.compile(r"[A-Z]{1,32}")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _quoted(text: str) -> str:
    return "'" + "".join(char if " " <= char <= "~" else "?" for char in text[:40]) + "'"


def checked_field(name: str, value: bytes) -> str:
    """Check one field of the caller's; return its name in lower case.

    Raises:
        Fault: of kind ``input``.
    """
    if not name.isascii() or not _IS_TOKEN.fullmatch(name.encode("ascii")):
        raise Fault("input", f"the header name {_quoted(name)} is not a token")
    lower = name.lower()
    if lower in MANAGED:
        raise Fault("input", f"the header '{lower}' is set by the client itself")
    if _BAD_VALUE.search(value):
        raise Fault("input", f"the value of the header '{lower}' holds a control character")
    return lower


def checked_method(method: str) -> None:
    """Check a method: upper-case letters, and none that means a tunnel.

    Raises:
        Fault: of kind ``input``.
    """
    if not _METHOD.fullmatch(method) or method == "CONNECT":
        raise Fault(
            "input",
            f"the method {_quoted(method)} is none;"
            " expected upper-case letters such as 'GET', not 'CONNECT'",
        )


def write_head(
    method: str,
    url: Url,
    fields: Iterable[tuple[str, bytes]],
    length: int | None,
    *,
    chunked: bool,
    absolute: bool,
) -> bytes:
    """Return the head of a request; ``absolute`` is the form for a proxy."""
    target = f"http://{url.authority}{url.target}" if absolute else url.target
    lines = [f"{method} {target} HTTP/1.1".encode(), f"host: {url.authority}".encode()]
    lines += [name.encode() + b": " + value for name, value in fields]
    if chunked:
        lines.append(b"transfer-encoding: chunked")
    elif length is not None:
        lines.append(b"content-length: %d" % length)
    elif method in ("POST", "PUT", "PATCH"):
        lines.append(b"content-length: 0")
    return b"\r\n".join([*lines, b"", b""])


class Head(NamedTuple):
    """A response's head; names are as they came, values without spaces around them."""

    status: int
    version: str
    fields: Sequence[tuple[bytes, bytes]]

    def all(self, name: str) -> list[bytes]:
        """Return the values of ``name``, in their order."""
        wanted = name.lower().encode("latin-1", "replace")
        return [value for found, value in self.fields if found.lower() == wanted]

    def first(self, name: str) -> bytes | None:
        """Return the first value of ``name``."""
        return next(iter(self.all(name)), None)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the fields as text, one character a byte, names in lower case."""
        return tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self.fields
        )

    def keeps_alive(self) -> bool:
        """Tell whether another request may follow on the connection."""
        tokens = {
            token.strip(b" \t").lower()
            for value in self.all("connection")
            for token in value.split(b",")
        }
        if self.version == "1.0":
            return b"keep-alive" in tokens and b"close" not in tokens
        return self.version == "2" or b"close" not in tokens

    def framing(self, *, head_request: bool) -> int | str:
        """Return the body's length, ``chunked`` or ``close``.

        Raises:
            Fault: of kind ``protocol``.
        """
        lengths, codings = self.all("content-length"), self.all("transfer-encoding")
        if codings:
            if lengths:
                raise Fault(
                    "protocol", "the response has both Content-Length and Transfer-Encoding"
                )
            if self.version != "1.1":
                raise Fault(
                    "protocol",
                    "the response has a Transfer-Encoding that its version does not know",
                )
            if len(codings) > 1 or codings[0].lower() != b"chunked":
                raise Fault("protocol", "the response's Transfer-Encoding is not 'chunked'")
        length: int | None = None
        for part in (part.strip(b" \t") for value in lengths for part in value.split(b",")):
            if not _DIGITS.fullmatch(part):
                raise Fault("protocol", "the response's Content-Length is no number")
            if length not in (None, int(part)):
                raise Fault("protocol", "the response has two different Content-Lengths")
            length = int(part)
        if head_request or self.status < 200 or self.status in (204, 304):
            return 0
        if codings:
            return "chunked"
        return "close" if length is None else length


def parse_head(data: bytes | bytearray) -> tuple[Head, int] | None:
    """Parse what begins ``data``; None as long as the head is incomplete.

    Only whole lines are judged, so that the verdict does not depend on how bytes arrive.

    Raises:
        Fault: of kind ``protocol``.
    """
    malformed = Fault(
        "protocol", f"the response's head is malformed, or has more than {MAX_FIELDS} fields"
    )
    too_long = Fault("protocol", f"the response's head is longer than {MAX_HEAD} bytes")
    at = 0
    status: re.Match[bytes] | None = None
    fields: list[tuple[bytes, bytes]] = []
    while (end := data.find(b"\n", at) + 1) > 0:
        line = bytes(data[at:end])
        at = end
        if status is None:
            status = _STATUS_LINE.fullmatch(line)
            if status is None:
                raise malformed
        elif line == b"\r\n":
            if at > MAX_HEAD:
                raise too_long
            version = "1.1" if status[1] == b"1" else "1.0"
            return Head(int(status[2]), version, fields), at
        else:
            field = _FIELD_LINE.fullmatch(line)
            if field is None or len(fields) == MAX_FIELDS:
                raise malformed
            fields.append((field[1], field[2].strip(b" \t")))
    if len(data) > MAX_HEAD:
        raise too_long
    return None


class Body:
    """Decodes one body as its bytes come; keeps what is incomplete, never what lies behind.

    Raises:
        Fault: of kind ``too_large``: it is announced larger than ``limit``.
    """

    def __init__(self, framing: Any, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._line = b""
        self._trailer = 0
        self._left = 0
        if framing == "chunked":
            self._state = "size"
        elif framing == "close":
            self._state = "close"
        else:
            self._state = "length" if framing else "done"
            self._left = framing
            if framing > limit:
                raise self._too_large()

    @property
    def is_done(self) -> bool:
        """Whether the body is complete."""
        return self._state == "done"

    @property
    def is_until_close(self) -> bool:
        """Whether only the connection's end completes it."""
        return self._state == "close"

    def feed(self, data: bytes, out: bytearray) -> int:
        """Decode from ``data`` into ``out``; return how many bytes were of this body.

        Raises:
            Fault: of kind ``protocol`` or ``too_large``.
        """
        at = 0
        while at < len(data) and self._state != "done":
            if self._state in ("size", "end", "trailer"):
                at += self._read_line(data[at:])
                continue
            take = len(data) - at
            if self._state != "close":
                take = min(take, self._left)
            self._taken += take
            if self._taken > self._limit:
                raise self._too_large()
            out += data[at : at + take]
            at += take
            self._left -= take
            if self._left == 0 and self._state != "close":
                self._state = "done" if self._state == "length" else "end"
        return at

    def close(self) -> None:
        """Note that the connection closed.

        Raises:
            Fault: of kind ``protocol``: something is missing.
        """
        if self._state not in ("close", "done"):
            raise Fault("protocol", "the connection closed before the response was complete")
        self._state = "done"

    def _too_large(self) -> Fault:
        return Fault("too_large", f"the response's body is larger than {self._limit} bytes")

    def _read_line(self, data: bytes) -> int:
        """Take bytes up to a line's end, and act on a whole line."""
        malformed = Fault("protocol", "the response's chunks are malformed")
        end = data.find(b"\n")
        take = end + 1 if end >= 0 else len(data)
        self._line += data[:take]
        limits = {"end": 2, "size": MAX_CHUNK_LINE, "trailer": MAX_TRAILER - self._trailer}
        if len(self._line) > limits[self._state]:
            raise malformed
        if end < 0:
            return take
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            raise malformed
        line = line[:-2]
        if self._state == "end":
            if line:
                raise malformed
            self._state = "size"
        elif self._state == "size":
            found = _CHUNK_SIZE.fullmatch(line)
            if found is None:
                raise malformed
            self._left = int(found[1], 16)
            if self._left > self._limit - self._taken:
                raise self._too_large()
            self._state = "chunk" if self._left else "trailer"
        elif not line:
            self._state = "done"
        else:
            self._trailer += len(line) + 2
            name, colon, _ = line.partition(b":")
            if not colon or not _IS_TOKEN.fullmatch(name):
                raise malformed
        return take
