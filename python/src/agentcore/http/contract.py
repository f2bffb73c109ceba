"""What the HTTP client promises, whichever implementation answers.

**Addresses.** ``http`` and ``https``; ASCII hosts (a name beyond ASCII is refused: give its form
for DNS), no credentials in the address, ports 1 to 65535. What is not ASCII behind the host is
percent-encoded as UTF-8; the fragment is not sent.

**Requests.** Header names must be tokens, values hold no control characters, and the fields that
frame a message (``message.MANAGED``) are the client's own: nothing can be injected. A body is
bytes, ``str`` (as UTF-8), or an iterable of bytes, which is sent in chunks as it gives them and
only once. Nothing is compressed and nothing is decoded (``accept-encoding: identity``).

**Responses.** HTTP/1.1 is read strictly: both framings, two lengths, folded lines, bare line
feeds, chunk sizes that are no plain number are errors, not guesses. A body is at most
``max_response_bytes``; one that is announced larger is refused before it is read. What arrives on
a connection while nobody asked (a late 408) makes the connection unusable; it is never taken for
the answer to the next request.

**Connections.** Kept for ``idle_seconds``, at most ``max_idle`` an origin, the latest used first.
At most ``max_connections`` requests are under way at once; others wait ``pool_timeout``. HTTP/2 is
offered over TLS (ALPN); a connection carries one exchange at a time. Addresses of a name are tried
in turn. Certificates are always checked, against ``ca_file`` alone where it is given, else against
the system's store.

**Proxy.** ``http://host:port``: plain requests in absolute form, TLS through CONNECT. The
environment's proxy variables are not read.

**Time.** Seconds. ``connect``: from the name to the end of the handshake; ``read`` and ``write``:
without a byte; ``pool``: until a connection is free; ``deadline``: the whole call, with waits and
retries. ``clock``, ``wall_clock``, ``sleep`` and ``random`` are what limits, breakers, retries,
cookies and deadlines of policy go by; the timeouts of input and output are real.

**Redirects.** At most ``max_redirects``; 303, and 301 or 302 after POST, become GET; a redirect to
another origin loses ``authorization``, ``cookie`` and ``proxy-authorization``; one from https to
http is an error.

**Retries.** For GET, HEAD, OPTIONS, PUT, DELETE, TRACE, a request with ``idempotency-key`` or
``idempotent=True``: after 429, 502, 503, 504, a timeout, or a broken connection; for any request
that was not sent at all. The wait is ``random()`` of ``min(backoff_cap, backoff_base * 2**n)``, or
what Retry-After asks for if that is longer; more than ``retry_after_cap`` is not waited for, and
the answer is the caller's. Each origin has a budget of ``budget_reserve`` retries, to which a
good answer adds ``budget_ratio``. When no retry may follow, the last answer is returned, or the
last error raised.

**Limit.** A token bucket an origin: ``rate`` a second, ``burst`` at once. A request waits for its
token; if its deadline comes first, it fails at once.

**Breaker.** After ``failures`` answers of 500 and above or errors in a row an origin is left alone
for ``open_seconds``; then one request tries it.

**Cookies.** Each goes back to the one host that set it (``cookies.Jar``); off with
``cookies=False``. A ``cookie`` header of the caller's replaces them.

**Cancellation** (asyncio). The caller is let go at once; the connection of a native request
within a quarter of a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from agentcore.errors import InputError

__all__ = [
    "COUNTS",
    "Body",
    "Headers",
    "HttpOptions",
    "HttpRequest",
    "OriginMetrics",
    "Response",
    "Retries",
    "Timeouts",
]

Headers = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]
Body = bytes | bytearray | memoryview | str | Iterable[bytes]

_MIB = 2**20


class Response(Protocol):
    """A response, whole.

    Attributes:
        status: 100 to 999.
        headers: pairs of name (lower case) and value, in their order.
        content: the body.
        url: where it came from, after redirects.
        http_version: ``1.0``, ``1.1`` or ``2``.
        history: the addresses that led there by redirects.
        requests_sent: requests that it took, retries and redirects included.
    """

    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> tuple[tuple[str, str], ...]: ...  # noqa: D102
    @property
    def content(self) -> bytes: ...  # noqa: D102
    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def http_version(self) -> str: ...  # noqa: D102
    @property
    def history(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def requests_sent(self) -> int: ...  # noqa: D102

    def header(self, name: str, default: str | None = None, /) -> str | None:
        """Return the first value of a header field."""

    def text(self, encoding: str = "utf-8") -> str:
        """Return the body as text; what is not of the encoding is replaced."""

    def json(self) -> Any:
        """Return what the body, as JSON, holds."""


class HttpRequest(NamedTuple):
    """One of many, for ``fetch_many``."""

    method: str
    url: str
    headers: Headers | None = None
    body: Body | None = None
    idempotent: bool | None = None


COUNTS = tuple(
    "requests good refused errors failures retries redirects limited broken opened reused"
    " received".split()
)


@dataclass(frozen=True, slots=True)
class OriginMetrics:
    """What happened at an origin since the client was made.

    Attributes:
        breaker: ``closed``, ``open`` or ``half-open``.
        requests: sent, retries and redirects included.
        good: answers below 400.
        refused: answers of 400 to 499.
        errors: answers of 500 and above.
        failures: requests without an answer.
        retries: requests sent again.
        redirects: that led on from here.
        limited: requests that the rate limit held back.
        broken: requests that the breaker refused.
        opened: connections made.
        reused: requests over a connection that was there.
        received: bytes of bodies.
    """

    breaker: str
    requests: int
    good: int
    refused: int
    errors: int
    failures: int
    retries: int
    redirects: int
    limited: int
    broken: int
    opened: int
    reused: int
    received: int


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a phase may take; see the contract."""

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 10.0


@dataclass(frozen=True, slots=True)
class Retries:
    """When and how long to wait before sending again; see the contract.

    Attributes:
        attempts: the most times that one hop is tried; 1 for no retry.
    """

    attempts: int = 3
    backoff_base: float = 0.1
    backoff_cap: float = 10.0
    retry_after_cap: float = 60.0
    budget_ratio: float = 0.1
    budget_reserve: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How a client behaves; every field is a keyword of ``FastHttpClient``.

    Attributes:
        timeouts: for each phase.
        deadline: seconds for a whole call, unless the call says; None for no bound.
        retries: see :class:`Retries`.
        rate: requests a second and origin; None for no limit.
        burst: requests that may go at once under a limit.
        breaker_failures: failures in a row that open the breaker; None for no breaker.
        breaker_seconds: how long it stays open.
        max_redirects: 0 to follow none.
        max_response_bytes: the largest body, unless the call says.
        max_connections: requests under way at once.
        max_idle: idle connections kept of an origin.
        idle_seconds: how long they are kept.
        http2: whether HTTP/2 is offered over TLS.
        cookies: whether they are kept.
        proxy: ``http://host:port``.
        proxy_authorization: the ``proxy-authorization`` field for it.
        ca_file: a PEM file of the certificates to trust instead of the system's.
        headers: fields of each request that does not have them.
        clock: seconds that never run backwards.
        wall_clock: seconds since 1970.
        sleep: lets seconds pass; blocks.
        random: numbers from 0 to below 1.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    deadline: float | None = None
    retries: Retries = field(default_factory=Retries)
    rate: float | None = None
    burst: int = 1
    breaker_failures: int | None = 10
    breaker_seconds: float = 30.0
    max_redirects: int = 10
    max_response_bytes: int = 16 * _MIB
    max_connections: int = 256
    max_idle: int = 64
    idle_seconds: float = 30.0
    http2: bool = True
    cookies: bool = True
    proxy: str | None = None
    proxy_authorization: str | None = None
    ca_file: str | None = None
    headers: Headers = ()
    clock: Callable[[], float] | None = None
    wall_clock: Callable[[], float] | None = None
    sleep: Callable[[float], object] | None = None
    random: Callable[[], float] | None = None

    def flat(self) -> dict[str, Any]:
        """Return the options as both implementations take them.

        Raises:
            InputError: an option is out of range.
        """
        positive = {
            **{f"timeouts.{name}": getattr(self.timeouts, name) for name in _PHASES},
            "deadline": 1.0 if self.deadline is None else self.deadline,
            "rate": 1.0 if self.rate is None else self.rate,
            "breaker_seconds": self.breaker_seconds,
            "idle_seconds": self.idle_seconds,
        }
        for name, value in positive.items():
            _require(_is_number(value) and value > 0, name, value, "seconds above 0")
        retries = self.retries
        for name in ("backoff_base", "backoff_cap", "retry_after_cap", "budget_ratio",
                     "budget_reserve"):  # fmt: skip
            value = getattr(retries, name)
            _require(_is_number(value) and value >= 0, f"retries.{name}", value, "0 or above")
        counts = {
            "retries.attempts": (retries.attempts, 1),
            "burst": (self.burst, 1),
            "breaker_failures": (1 if self.breaker_failures is None else self.breaker_failures, 1),
            "max_redirects": (self.max_redirects, 0),
            "max_response_bytes": (self.max_response_bytes, 0),
            "max_connections": (self.max_connections, 1),
            "max_idle": (self.max_idle, 0),
        }
        for name, (count, least) in counts.items():
            fits = isinstance(count, int) and not isinstance(count, bool)
            _require(fits and least <= count < 2**31, name, count, f"a whole number from {least}")
        if self.proxy is not None:
            _require(self.proxy.startswith("http://"), "proxy", self.proxy, "'http://host:port'")
        return {
            "attempts": retries.attempts,
            "backoff_base": float(retries.backoff_base),
            "backoff_cap": float(retries.backoff_cap),
            "retry_after_cap": float(retries.retry_after_cap),
            "budget_ratio": float(retries.budget_ratio),
            "budget_reserve": float(retries.budget_reserve),
            "rate": float(self.rate or 0.0),
            "burst": float(self.burst),
            "failures": self.breaker_failures or 0,
            "open_seconds": float(self.breaker_seconds),
            "max_redirects": self.max_redirects,
            **{f"{name}_timeout": float(getattr(self.timeouts, name)) for name in _PHASES},
            "deadline": None if self.deadline is None else float(self.deadline),
            "max_response_bytes": self.max_response_bytes,
            "max_connections": self.max_connections,
            "max_idle": self.max_idle,
            "idle_seconds": float(self.idle_seconds),
            "http2": bool(self.http2),
            "cookies": bool(self.cookies),
            "proxy": self.proxy,
            "proxy_authorization": _checked_authorization(self.proxy_authorization),
            "ca_file": None if self.ca_file is None else str(self.ca_file),
            "headers": self.headers,
            "clock": self.clock,
            "wall_clock": self.wall_clock,
            "sleep": self.sleep,
            "random": self.random,
        }


_PHASES = ("connect", "read", "write", "pool")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _checked_authorization(value: str | None) -> bytes | None:
    if value is None:
        return None
    fits = value.isascii() and value.isprintable()
    _require(fits, "proxy_authorization", "…", "printable ASCII")
    return value.encode("ascii")


def _require(holds: bool, where: str, got: object, expected: str) -> None:
    if not holds:
        raise InputError(f"{got!r} is not acceptable", where, expected)
