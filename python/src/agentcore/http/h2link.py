"""HTTP/2 for the twin, by the ``h2`` package; a connection carries one exchange at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from agentcore.http.exchange import next_piece
from agentcore.http.fault import Fault
from agentcore.http.link import Link, Steps, Wait
from agentcore.http.message import MAX_FIELDS, Head
from agentcore.http.url import Url

__all__ = ["H2", "Exchange2"]

_WINDOW = 1 << 20
_PIECE = 65536


class H2:
    """The state of HTTP/2 on a connection."""

    def __init__(self) -> None:
        config = h2.config.H2Configuration(client_side=True, header_encoding=False)
        self.connection = h2.connection.H2Connection(config)
        self.connection.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 65536,
            },
        )
        self.connection.initiate_connection()
        self.connection.increment_flow_control_window(_WINDOW - 65535)
        self.out = bytearray()
        self.is_over = False

    def exchange(self, *arguments: Any, **more: Any) -> Exchange2:
        """Return an exchange over this connection."""
        return Exchange2(self, *arguments, **more)

    def take(self, link: Link) -> list[Any] | None:
        """Return the events of what is there: None if nothing is, empty at the end.

        Raises:
            ProtocolError: the server broke the protocol.
        """
        try:
            data = link.read()
        except OSError:
            data = b""
        if data is None:
            return None
        if not data:
            self.is_over = True
            return []
        events = list(self.connection.receive_data(data))
        if any(isinstance(event, h2.events.ConnectionTerminated) for event in events):
            self.is_over = True
        return events or [None]

    def flush(self, link: Link) -> bool:
        """Send what waits to be sent; return whether all of it is out."""
        self.out += self.connection.data_to_send()
        while self.out:
            try:
                count = link.write(bytes(self.out[:_PIECE]))
            except OSError:
                self.is_over = True
                self.out.clear()
                return True
            if not count:
                return False
            del self.out[:count]
        return True

    def is_usable(self, link: Link) -> bool:
        """Tell whether another request may be sent."""
        try:
            while not self.is_over and self.take(link):
                pass
            self.flush(link)
        except h2.exceptions.ProtocolError:
            return False
        return not self.is_over


class Exchange2:
    """Sends a request and reads its response; the shape is that of ``Exchange``."""

    def __init__(
        self,
        state: H2,
        request: tuple[str, Url, list[tuple[str, bytes]]],
        body: Any,
        limit: int,
        timer: Callable[[str], float],
        *,
        absolute: bool,
    ) -> None:
        del absolute  # there is no other form
        method, url, fields = request
        self._h2 = state
        self._headers: list[tuple[bytes, bytes]] = [
            (b":method", method.encode()),
            (b":scheme", url.scheme.encode()),
            (b":authority", url.authority.encode()),
            (b":path", url.target.encode()),
            *((name.encode(), value) for name, value in fields),
        ]
        if isinstance(body, bytes):
            self._headers.append((b"content-length", b"%d" % len(body)))
        self._body: Any = body or None
        self._limit = limit
        self._timer = timer
        self._taken = 0
        self._stream = 0
        self.sent = False
        self.begun = False
        self.heard = False
        self.done = False
        self.head: Head | None = None
        self.data = bytearray()

    @property
    def is_reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self.done and self.sent and not self._h2.is_over

    def run(self, link: Link) -> Steps:
        """Send the request, then read up to the end of the response's head."""
        try:
            connection = self._h2.connection
            self._stream = connection.get_next_available_stream_id()
            connection.send_headers(self._stream, self._headers, end_stream=self._body is None)
            self.begun = True
            if self._body is not None:
                yield from self._send(link)
            self.sent = True
            while self.head is None:
                yield from self._more(link, "read")
        except h2.exceptions.ProtocolError:
            self.heard = True
            raise Fault("protocol", "the server broke HTTP/2") from None

    def pieces(self, link: Link) -> Steps:
        """Read on; return whether the body is complete. ``data`` holds what came."""
        before = len(self.data)
        try:
            while not self.done and len(self.data) == before:
                yield from self._more(link, "read")
            self._h2.flush(link)
        except h2.exceptions.ProtocolError:
            raise Fault("protocol", "the server broke HTTP/2") from None
        return self.done

    def _send(self, link: Link) -> Steps:
        connection = self._h2.connection
        whole = self._body if isinstance(self._body, bytes) else None
        at = 0
        while True:
            if whole is None:
                piece = yield from next_piece(self._body, self._timer)
            else:
                piece = whole[at : at + _PIECE] or None
                at += _PIECE
            if piece is None:
                connection.end_stream(self._stream)
                self._h2.flush(link)
                return
            while piece:
                room = min(
                    connection.local_flow_control_window(self._stream),
                    connection.max_outbound_frame_size,
                )
                if room:
                    connection.send_data(self._stream, piece[:room])
                    piece = piece[room:]
                if not self._h2.flush(link) or not room:
                    yield from self._more(link, "write")
                if self.done:  # it wants no more: what it says counts
                    self._h2.is_over = True
                    return

    def _more(self, link: Link, phase: str) -> Steps:
        """Send what waits, and understand what comes; wait if neither moves."""
        flushed = self._h2.flush(link)
        events = self._h2.take(link)
        if events is None:
            yield Wait(link.sock, read=True, write=not flushed, until=self._timer(phase))
            return
        for event in events:
            self._understand(event)
        self._h2.flush(link)
        if self._h2.is_over and not self.done:
            raise Fault(
                "protocol",
                "the connection closed before the response was complete"
                if self.heard
                else "the connection closed before a response came",
            )

    def _understand(self, event: Any) -> None:
        if getattr(event, "stream_id", None) != self._stream:
            return
        if isinstance(event, h2.events.ResponseReceived):
            self.heard = True
            self.head = self._made_head(event)
            length = self.head.first("content-length")
            announced = int(length) if length is not None and length.isdigit() else 0
            if announced > self._limit and event.stream_ended is None:
                raise self._too_large()
        elif isinstance(event, h2.events.DataReceived):
            self._taken += len(event.data)
            if self._taken > self._limit:
                raise self._too_large()
            self.data += event.data
            flow = event.flow_controlled_length
            if flow:
                self._h2.connection.acknowledge_received_data(flow, self._stream)
        elif isinstance(event, h2.events.StreamEnded):
            self.done = True
        elif isinstance(event, h2.events.StreamReset):
            if self.done:
                return
            self.heard = True
            raise Fault("protocol", "the server reset the stream")

    def _made_head(self, event: Any) -> Head:
        """Return the head with equal names together, as the native side has them."""
        grouped: dict[bytes, list[bytes]] = {}
        status = 0
        for name, value in event.headers:
            if name == b":status":
                status = int(value)
            else:
                grouped.setdefault(bytes(name), []).append(bytes(value).strip(b" \t"))
        fields = [(name, value) for name, values in grouped.items() for value in values]
        if len(fields) > MAX_FIELDS:
            raise Fault("protocol", "the server broke HTTP/2")
        return Head(status, "2", fields)

    def _too_large(self) -> Fault:
        return Fault("too_large", f"the response's body is larger than {self._limit} bytes")
