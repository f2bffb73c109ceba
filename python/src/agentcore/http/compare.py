"""The twin of what has no input or output: addresses, responses, courses, for the comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentcore.http.cookies import Jar
from agentcore.http.course import Book, Course, Rules, Step, Wish
from agentcore.http.fault import Fault
from agentcore.http.message import Body, Head, checked_method, parse_head
from agentcore.http.order import checked_fields
from agentcore.http.url import join_url, parse_url

__all__ = ["HttpCourse", "http_join", "http_parse_response", "http_parse_url"]


def _refused(fault: Fault) -> ValueError:
    return ValueError(f"{fault.kind}: {fault.text}")


def http_parse_url(text: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and target of an address.

    Raises:
        ValueError: it is not acceptable.
    """
    try:
        url = parse_url(text)
    except Fault as fault:
        raise _refused(fault) from None
    return url.scheme, url.host, url.port, url.target


def http_join(base: str, location: bytes) -> str:
    """Return the address that a ``Location`` means, seen from another.

    Raises:
        ValueError: one of them is not acceptable.
    """
    try:
        return str(join_url(parse_url(base), location))
    except Fault as fault:
        raise _refused(fault) from None


def http_parse_response(pieces: Iterable[bytes], head_request: bool, limit: int) -> Any:
    """Read a response from pieces of bytes, then the end of the connection.

    Returns:
        ``(status, version, headers, body, keeps_alive, left_over)``.

    Raises:
        ValueError: it is malformed, incomplete or too large.
    """
    ahead, out = bytearray(), bytearray()
    head: Head | None = None
    body: Body | None = None
    try:
        for piece in pieces:
            ahead += piece
            if head is None:
                parsed = parse_head(ahead)
                if parsed is None:
                    continue
                head, length = parsed
                del ahead[:length]
                body = Body(head.framing(head_request=head_request), limit)
            if body is not None:
                count = body.feed(bytes(ahead), out)
                del ahead[:count]
        if head is None or body is None:
            raise Fault("protocol", "incomplete")
        body.close()
    except Fault as fault:
        raise _refused(fault) from None
    return head.status, head.version, head.pairs(), bytes(out), head.keeps_alive(), bytes(ahead)


Told = tuple[str, float, str, str]


def _told(step: Step) -> Told:
    if step.fault is not None:
        return ("fail", 0.0, step.fault.kind, step.fault.text)
    return (step.what, step.seconds, "", "")


class HttpCourse:
    """The course of one request at one origin, step by step, by the numbers that a test gives."""

    def __init__(self, rules: tuple[Any, ...], now: float) -> None:
        self._rules = Rules(*rules)
        self._book = Book(self._rules, now)
        self._jar = Jar()
        self._course: Course | None = None

    @property
    def _begun(self) -> Course:
        if self._course is None:
            raise ValueError("no request was begun")
        return self._course

    def start(
        self,
        method: str,
        url: str,
        headers: Any,
        has_body: bool,
        replayable: bool,
        idempotent: bool | None,
        within: float,
        now: float,
    ) -> None:
        """Begin another request; what was learnt of the origin stays.

        Raises:
            ValueError: it is not acceptable.
        """
        try:
            checked_method(method)
            wish = Wish(
                method, parse_url(url), checked_fields(headers), has_body, replayable,
                idempotent, within,
            )  # fmt: skip
        except Fault as fault:
            raise _refused(fault) from None
        self._course = Course(wish, now)

    def begin(self, now: float) -> Told:
        """Ask to send."""
        return _told(self._begun.begin(self._rules, self._book, now))

    def answered(
        self,
        status: int,
        headers: Iterable[tuple[str, bytes]],
        now: float,
        wall: float,
        random: float,
    ) -> Told:
        """Note an answer."""
        fields = [(name.encode(), value.strip(b" \t")) for name, value in headers]
        head = Head(status, "2", fields)
        step = self._begun.answered(
            self._rules, self._book, self._jar, head, (now, wall), lambda: random
        )
        return _told(step)

    def failed(
        self,
        kind: str,
        text: str,
        sent: bool,
        stale: bool,
        now: float,
        random: float,
    ) -> Told:
        """Note that no answer came."""
        step = self._begun.failed(
            self._rules, self._book, Fault(kind, text), (sent, stale), now, lambda: random
        )
        return _told(step)

    def abandon(self) -> None:
        """Note that the caller lost interest."""
        self._begun.abandon(self._book)

    def state(self, now: float) -> tuple[Any, ...]:
        """Return all that can be seen of the course and its origin."""
        course = self._begun
        cookie = self._jar.field(course.url, now)
        return (
            course.method,
            str(course.url),
            tuple((name, value.decode("latin-1")) for name, value in course.fields),
            course.has_body,
            tuple(course.history),
            course.sent,
            None if cookie is None else cookie.decode("latin-1"),
            self._book.breaker(now),
            self._book.counts.numbers()[:9],
        )
