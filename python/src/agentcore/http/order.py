"""What a caller asks for, checked: both implementations check the same, in the same order."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentcore.http.exchange import as_piece
from agentcore.http.fault import Fault
from agentcore.http.message import checked_field, checked_method
from agentcore.http.url import Url, parse_url

__all__ = ["Order", "checked_fields", "checked_order"]


@dataclass(slots=True)
class Order:
    """A checked request. ``body`` is None, bytes, or an iterator of pieces."""

    method: str
    url: Url
    fields: list[tuple[str, bytes]]
    body: Any
    idempotent: bool | None
    within: float
    max_body: int
    streamed: bool = False


def checked_order(
    options: Mapping[str, Any],
    method: str,
    url: str,
    headers: Any = None,
    body: Any = None,
    idempotent: bool | None = None,
    deadline: Any = None,
    max_bytes: int | None = None,
) -> Order:
    """Return the request as it is sent.

    Raises:
        Fault: of kind ``input``.
        TypeError: something is of the wrong type.
    """
    checked_method(method)
    target = parse_url(url)
    fields = [] if headers is None else checked_fields(headers)
    source = _source(body, asynchronous=options["asynchronous"])
    within = math.inf if options["deadline"] is None else options["deadline"]
    if deadline is not None:
        fits = isinstance(deadline, int | float) and math.isfinite(deadline) and deadline > 0
        if not fits:
            text = f"deadline must be a positive number of seconds, got {deadline!r}"
            raise Fault("input", text)
        within = float(deadline)
    limit = options["max_response_bytes"] if max_bytes is None else max_bytes
    return Order(method, target, fields, source, idempotent, within, limit)


def checked_fields(headers: Any) -> list[tuple[str, bytes]]:
    """Return header fields of a mapping or of pairs, checked, names in lower case.

    Raises:
        Fault: of kind ``input``.
        TypeError: something is of the wrong type.
    """
    items = headers.items() if hasattr(headers, "items") else headers
    fields = []
    for item in items:
        if not isinstance(item, tuple) or len(item) != 2:
            raise TypeError("headers must be a mapping or an iterable of (name, value) pairs")
        name, value = item
        if not isinstance(name, str):
            raise TypeError(f"a header's name must be str, got {type(name).__name__}")
        if isinstance(value, str):
            try:
                value = value.encode("latin-1")
            except UnicodeEncodeError:
                lower = checked_field(name, b"")
                text = f"the value of the header '{lower}' is not Latin-1"
                raise Fault("input", text) from None
        elif not isinstance(value, bytes):
            raise TypeError(f"a header's value must be str or bytes, got {type(value).__name__}")
        fields.append((checked_field(name, value), value))
    return fields


def _source(body: Any, *, asynchronous: bool) -> bytes | Iterator[Any] | Any:
    if body is None:
        return None
    if isinstance(body, bytes | bytearray | memoryview | str):
        return as_piece(body)
    if asynchronous and isinstance(body, AsyncIterable):
        return aiter(body)
    if not isinstance(body, Iterable):
        kind = type(body).__name__
        raise TypeError(f"body must be bytes, str or an iterable of bytes, got {kind}")
    return iter(body)
