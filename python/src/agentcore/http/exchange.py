"""One request and its response over one HTTP/1.1 connection of the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from agentcore.http.fault import Fault
from agentcore.http.link import Late, Link, Next, Steps, Wait
from agentcore.http.message import Body, Head, parse_head, write_head
from agentcore.http.url import Url

__all__ = ["Exchange", "as_piece", "next_piece"]

_TOGETHER = 65536
_MAX_INTERIM = 8
_INCOMPLETE = "the connection closed before the response was complete"


def as_piece(piece: object) -> bytes:
    """Return a piece of a body as bytes.

    Raises:
        TypeError: it is none.
    """
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"a piece of the body must be bytes, got {type(piece).__name__}")


def next_piece(source: Iterator[Any] | AsyncIterator[Any], timer: Callable[[str], float]) -> Steps:
    """Return the next piece of the caller's body; None at the end.

    Raises:
        Fault: of kind ``body``, with what the caller's body raised.
    """
    try:
        if isinstance(source, AsyncIterator):
            return as_piece((yield Next(source, timer("write"))))
        return as_piece(next(source))
    except (StopIteration, StopAsyncIteration):
        return None
    except (Fault, Late):
        raise
    except Exception as error:  # noqa: BLE001 - it is raised to the caller as it is
        raise Fault("body", "the body could not be read", error) from None


class Exchange:
    """Sends a request and reads its response; ``timer(name)`` gives the end of a phase."""

    def __init__(
        self,
        request: tuple[str, Url, list[tuple[str, bytes]]],
        body: Any,
        limit: int,
        timer: Callable[[str], float],
        *,
        absolute: bool,
    ) -> None:
        method, url, fields = request
        whole = body if isinstance(body, bytes) else None
        self._chunked = body is not None and whole is None
        length = None if whole is None else len(whole)
        self._out = write_head(
            method, url, fields, length, chunked=self._chunked, absolute=absolute
        )
        self._body = body
        self._whole = whole
        self._limit = limit
        self._timer = timer
        self._is_head_request = method == "HEAD"
        self.sent = False
        self.begun = False
        self.heard = False
        self.cut = False
        self.head: Head | None = None
        self._decoder: Body | None = None
        self.data = bytearray()

    @property
    def is_reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return (
            self._decoder is not None
            and not self._decoder.is_until_close
            and self.sent
            and not self.cut
            and self.head is not None
            and self.head.keeps_alive()
        )

    def run(self, link: Link) -> Steps:
        """Send the request, then read up to the end of the response's head."""
        yield from self._send(link)
        self.sent = True
        interim = 0
        until = self._timer("read")
        while self.head is None:
            if link.ahead:
                parsed = parse_head(link.ahead)
                if parsed is not None:
                    head, length = parsed
                    del link.ahead[:length]
                    if 100 <= head.status < 200:
                        interim += 1
                        if head.status == 101 or interim > _MAX_INTERIM:
                            raise Fault(
                                "protocol",
                                "the response is an interim one that was not asked for",
                            )
                        continue
                    framing = head.framing(head_request=self._is_head_request)
                    self._decoder = Body(framing, self._limit)
                    self.head = head
                    return
            if not (yield from self._fill(link, until)):
                raise Fault(
                    "protocol",
                    _INCOMPLETE if self.heard else "the connection closed before a response came",
                )

    def pieces(self, link: Link) -> Steps:
        """Read on; return whether the body is complete. ``data`` holds what came."""
        decoder = self._decoder
        assert decoder is not None  # noqa: S101 - run() came first
        before = len(self.data)
        while True:
            count = decoder.feed(bytes(link.ahead), self.data)
            del link.ahead[:count]
            if decoder.is_done:
                return True
            if len(self.data) > before:
                return False
            try:
                more = yield from self._fill(link, self._timer("read"))
            except ConnectionError:
                raise Fault("protocol", _INCOMPLETE) from None
            if not more:
                self.cut = True
                decoder.close()
                return True

    def _fill(self, link: Link, until: float) -> Steps:
        """Read more; return whether there was more before the end."""
        while True:
            try:
                data = link.read()
            except OSError:
                if self._decoder is not None:
                    raise ConnectionResetError from None
                return False
            if data is not None:
                self.heard = self.heard or bool(data)
                link.ahead += data
                return bool(data)
            yield Wait(link.sock, read=True, write=False, until=until)

    def _send(self, link: Link) -> Steps:
        out = self._out
        if self._whole is not None and len(self._whole) <= _TOGETHER:
            out += self._whole
            self._whole = None
        yield from self._write(link, out)
        if self._whole is not None:
            yield from self._write(link, self._whole)
        elif self._chunked:
            source = self._body
            while not self.cut and self.head is None:
                piece = yield from next_piece(source, self._timer)
                if piece is None:
                    yield from self._write(link, b"0\r\n\r\n")
                    break
                if piece:
                    yield from self._write(link, b"%x\r\n%b\r\n" % (len(piece), piece))

    def _write(self, link: Link, data: bytes) -> Steps:
        view = memoryview(data)
        while view and not self.cut:
            try:
                count = link.write(view)
            except OSError:
                self.cut = True  # it may have answered before it closed
                return
            if count:
                self.begun = True
                view = view[count:]
                continue
            # The answer may come before the request is out; then the rest is not sent.
            early = link.read()
            if early is not None:
                self.heard = self.heard or bool(early)
                link.ahead += early
                self.cut = True
                return
            yield Wait(link.sock, read=True, write=True, until=self._timer("write"))
