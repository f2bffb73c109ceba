"""The course of one request: admission, retries, redirects, cookies. No input or output.

A driver asks what to do next and says what came of it; it never decides. The native module has
the same machine, and the two are compared step by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from agentcore.http.cookies import Jar, retry_after
from agentcore.http.fault import Fault, seconds
from agentcore.http.message import Head
from agentcore.http.url import Url, join_url

__all__ = ["Book", "Counts", "Course", "Rules", "Step", "Wish"]

_BLAMED = frozenset(("connect", "tls", "timeout", "protocol", "proxy", "deadline"))
_CURABLE = frozenset(("connect", "timeout", "protocol"))
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_BUSY = frozenset((429, 502, 503, 504))
_SECRET = frozenset(("authorization", "cookie", "proxy-authorization"))


class Rules(NamedTuple):
    """What a client's requests are held to; ``contract`` explains each number."""

    attempts: int
    backoff_base: float
    backoff_cap: float
    retry_after_cap: float
    budget_ratio: float
    budget_reserve: float
    rate: float
    burst: float
    failures: int
    open_seconds: float
    max_redirects: int


@dataclass(slots=True)
class Counts:
    """What happened at an origin since the client was made."""

    requests: int = 0
    good: int = 0
    refused: int = 0
    errors: int = 0
    failures: int = 0
    retries: int = 0
    redirects: int = 0
    limited: int = 0
    broken: int = 0
    opened: int = 0
    reused: int = 0
    received: int = 0

    def numbers(self) -> tuple[int, ...]:
        """Return the counts in their order."""
        return tuple(getattr(self, each.name) for each in fields(self))


class Step(NamedTuple):
    """What a driver has to do.

    ``wait`` so many seconds and begin; ``send``; begin ``again`` at once; ``done``: the last
    answer is the caller's; ``fail`` with the fault.
    """

    what: Literal["wait", "send", "again", "done", "fail"]
    seconds: float = 0.0
    fault: Fault | None = None


class Book:
    """What is known of an origin: its limiter, breaker, retry budget and counts."""

    def __init__(self, rules: Rules, now: float) -> None:
        self.tokens = rules.burst
        self.refilled = now
        self.failures = 0
        self.open_until: float | None = None
        self.probing = False
        self.budget = rules.budget_reserve
        self.counts = Counts()

    def breaker(self, now: float) -> str:
        """Return ``closed``, ``open`` or ``half-open``."""
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half-open"

    def admit(self, origin: str, now: float) -> Fault | None:
        """Return why nothing may be sent, if so."""
        if self.open_until is None:
            return None
        text = f"{origin} failed {self.failures} times in a row and is "
        if now < self.open_until:
            text += f"left alone for {seconds(self.open_until - now)} s"
        elif self.probing:
            text += "being tried"
        else:
            return None
        self.counts.broken += 1
        return Fault("circuit", text)

    def reserve(self, rules: Rules, now: float) -> float:
        """Take a token; return the seconds until it is there."""
        if now > self.refilled:
            self.tokens = min(rules.burst, self.tokens + (now - self.refilled) * rules.rate)
            self.refilled = now
        self.tokens -= 1.0
        return -self.tokens / rules.rate if self.tokens < 0.0 else 0.0

    def succeed(self) -> None:
        """Note an answer that speaks for the origin."""
        self.failures = 0
        self.open_until = None
        self.probing = False

    def fail(self, rules: Rules, now: float) -> None:
        """Note an answer, or the lack of one, that speaks against the origin."""
        if rules.failures == 0:
            return
        self.failures += 1
        if self.open_until is not None or self.failures >= rules.failures:
            self.open_until = now + rules.open_seconds
        self.probing = False


@dataclass(slots=True)
class Wish:
    """What a course is made of.

    Attributes:
        method: checked.
        url: where to.
        fields: the caller's header fields, checked, names in lower case.
        has_body: whether there is a body.
        replayable: whether the body can be sent again.
        idempotent: whether sending it twice does no harm, if the caller says.
        within: seconds that the whole may take; infinite for no bound.
    """

    method: str
    url: Url
    fields: list[tuple[str, bytes]] = field(default_factory=list)
    has_body: bool = False
    replayable: bool = True
    idempotent: bool | None = None
    within: float = math.inf


class Course:
    """One request on its way through attempts and hops, begun at ``now``."""

    def __init__(self, wish: Wish, now: float) -> None:
        self.method = wish.method
        self.url = wish.url
        self.fields = list(wish.fields)
        self.has_body = wish.has_body
        self.history: list[str] = []
        self.sent = 0
        keyed = any(name == "idempotency-key" for name, _ in wish.fields)
        by_nature = wish.method in _IDEMPOTENT or keyed
        self._idempotent = by_nature if wish.idempotent is None else wish.idempotent
        self._replayable = wish.replayable
        self.deadline = now + wish.within
        self._within = wish.within
        self._attempt = 0
        self._reserved = False
        self._probing = False

    def late(self) -> Fault:
        """Return that the whole took too long."""
        return Fault("deadline", f"it was not done within {seconds(self._within)} s")

    def begin(self, rules: Rules, book: Book, now: float) -> Step:
        """Ask to send: now, later, or not."""
        if now >= self.deadline:
            return Step("fail", fault=self.late())
        refusal = book.admit(self.url.origin, now)
        if refusal is not None:
            return Step("fail", fault=refusal)
        if rules.rate > 0.0 and not self._reserved:
            wait = book.reserve(rules, now)
            if wait > 0.0:
                book.counts.limited += 1
                if now + wait >= self.deadline:
                    book.tokens += 1.0
                    text = f"the rate limit would hold it for {seconds(wait)} s"
                    text += f", past its {seconds(self._within)} s"
                    return Step("fail", fault=Fault("deadline", text))
                self._reserved = True
                return Step("wait", wait)
        self._reserved = False
        if book.open_until is not None:
            book.probing = self._probing = True
        self._attempt += 1
        self.sent += 1
        book.counts.requests += 1
        return Step("send")

    def answered(
        self,
        rules: Rules,
        book: Book,
        jar: Jar | None,
        head: Head,
        times: tuple[float, float],
        random: Callable[[], float],
    ) -> Step:
        """Note an answer, whole or its head. ``random`` gives numbers from 0 to below 1."""
        now, wall = times
        self._probing = False
        if head.status >= 500:
            book.counts.errors += 1
            book.fail(rules, now)
        else:
            if head.status < 400:
                book.counts.good += 1
            else:
                book.counts.refused += 1
            book.budget = min(rules.budget_reserve, book.budget + rules.budget_ratio)
            book.succeed()
        if jar is not None:
            for cookie in head.all("set-cookie"):
                jar.store(self.url, cookie, now, wall)
        if head.status in _REDIRECTS and rules.max_redirects > 0:
            location = head.first("location")
            if location is None:
                return Step("done")
            try:
                self._follow(rules, head.status, location)
            except Fault as fault:
                return Step("fail", fault=fault)
            book.counts.redirects += 1
            return Step("again")
        if head.status in _BUSY:
            value = head.first("retry-after")
            asked = None if value is None else retry_after(value, wall)
            wait = self._retry(rules, book, now, asked, random)
            return Step("done") if wait is None else Step("wait", wait)
        return Step("done")

    def failed(
        self,
        rules: Rules,
        book: Book,
        fault: Fault,
        how: tuple[bool, bool],
        now: float,
        random: Callable[[], float],
    ) -> Step:
        """Note that no answer came.

        ``how``: whether bytes of the request may have arrived, and whether a connection that had
        been idle closed before any answer.
        """
        sent, stale = how
        self._probing = False
        if stale and self._idempotent and self._replayable:
            self._attempt = max(0, self._attempt - 1)
            self.sent = max(0, self.sent - 1)
            book.counts.requests = max(0, book.counts.requests - 1)
            book.probing = False
            self._reserved = True  # its token was taken
            return Step("again")
        book.counts.failures += 1
        if fault.kind in _BLAMED:
            book.fail(rules, now)
        else:
            book.probing = False
        harmless = not sent or (self._idempotent and self._replayable)
        if fault.kind in _CURABLE and harmless:
            kept = self._idempotent, self._replayable
            self._idempotent = self._replayable = True
            wait = self._retry(rules, book, now, None, random)
            self._idempotent, self._replayable = kept
            if wait is not None:
                return Step("wait", wait)
        return Step("fail", fault=fault)

    def abandon(self, book: Book) -> None:
        """The caller lost interest: what was claimed is given back."""
        if self._probing:
            self._probing = book.probing = False

    def _retry(
        self,
        rules: Rules,
        book: Book,
        now: float,
        asked: float | None,
        random: Callable[[], float],
    ) -> float | None:
        """Return the seconds to wait before the next attempt, if there may be one."""
        if not (self._idempotent and self._replayable and self._attempt < rules.attempts):
            return None
        if (asked is not None and asked > rules.retry_after_cap) or book.budget < 1.0:
            return None
        exponent = min(self._attempt, 64) - 1
        most = min(rules.backoff_cap, rules.backoff_base * 2.0**exponent)
        wait = max(asked or 0.0, random() * most)
        if now + wait >= self.deadline:
            return None
        book.budget -= 1.0
        book.counts.retries += 1
        return wait

    def _follow(self, rules: Rules, status: int, location: bytes) -> None:
        """Turn to where an answer points."""
        if len(self.history) >= rules.max_redirects:
            raise Fault("redirect", f"more than {rules.max_redirects} redirects")
        target = join_url(self.url, location)
        if self.url.scheme == "https" and target.scheme == "http":
            raise Fault("redirect", f"a redirect from https to {target.origin}")
        if (status == 303 and self.method != "HEAD") or (
            status in (301, 302) and self.method == "POST"
        ):
            self.method = "GET"
            self.has_body = False
            self._replayable = self._idempotent = True
            self.fields = [pair for pair in self.fields if not pair[0].startswith("content-")]
        elif self.has_body and not self._replayable:
            raise Fault("redirect", "a redirect asks for a body that can be sent only once")
        if target.origin != self.url.origin:
            self.fields = [pair for pair in self.fields if pair[0] not in _SECRET]
        self.history.append(str(self.url))
        self.url = target
        self._attempt = 0
