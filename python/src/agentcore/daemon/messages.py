"""What a handler gets and what it returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from agentcore.errors import InputError


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its body read already.

    Attributes:
        method: ``GET``, ``POST``…; a HEAD arrives as GET.
        path: the path without the query, percent-decoded.
        query: the values of each query parameter.
        params: the values of the route's ``{names}``.
        headers: case-insensitive by ``get``.
        body: at most 2 MiB.
    """

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Message = field(default_factory=Message)
    body: bytes = b""

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            InputError: it isn't (answered as 400).
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise InputError(f"not JSON: {error}", "request body", "a JSON document") from None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> Response:
        """Answer a JSON document; keyword arguments are headers (``_`` for ``-``)."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        named = {key.replace("_", "-"): text for key, text in headers.items()}
        return cls(status, body, "application/json", named)

    @classmethod
    def text(cls, text: str, status: int = 200) -> Response:
        """Answer plain text."""
        return cls(status, text.encode())

    @classmethod
    def error(cls, status: int, message: str) -> Response:
        """Answer ``{"error": message}``, the form that every API of the appliance shares."""
        return cls.json({"error": message}, status)
