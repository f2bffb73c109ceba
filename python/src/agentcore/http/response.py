"""The twin's response."""

from __future__ import annotations

import json
from typing import Any

from agentcore.http.engine import Flight

__all__ = ["Response"]


class Response:
    """A response, whole; see ``agentcore.http.contract.Response``."""

    def __init__(self, flight: Flight, content: bytes) -> None:
        head = flight.head
        assert head is not None  # noqa: S101 - the flight ended well
        self._head = head
        self.status = head.status
        self.headers = head.pairs()
        self.content = content
        self.url = str(flight.course.url)
        self.http_version = head.version
        self.history = tuple(flight.course.history)
        self.requests_sent = flight.course.sent

    def header(self, name: str, default: Any = None, /) -> Any:
        """Return the first value of a header field."""
        value = self._head.first(name)
        return default if value is None else value.decode("latin-1")

    def text(self, encoding: str = "utf-8") -> str:
        """Return the body as text; what is not of the encoding is replaced."""
        return self.content.decode(encoding, "replace")

    def json(self) -> Any:
        """Return what the body, as JSON, holds."""
        return json.loads(self.content)

    def __repr__(self) -> str:
        return f"<Response {self.status} of {len(self.content)} bytes from {self.url}>"
