"""A small cookie jar: every cookie goes back to the one host that set it, and to no other.

A ``Domain`` attribute is never widened (no list of public suffixes to be wrong about); one
that does not cover the host makes the cookie refused. Bounded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from agentcore.http.url import Url

__all__ = ["Jar", "parse_date", "retry_after"]

MAX_PER_HOST = 50
MAX_HOSTS = 1000
MAX_COOKIE = 4096
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_AGE = re.compile(rb"-?[0-9]{1,9}")
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DATE = re.compile(
    rb"...,[ ]([0-9]{2})([ -])(" + b"|".join(_MONTHS) + rb")\2([0-9]{4})"
    rb"[ ]([0-9]{2}):([0-9]{2}):([0-9]{2})[ ]GMT",
    re.DOTALL,
)


@dataclass(slots=True)
class _Cookie:
    name: bytes
    value: bytes
    path: bytes
    secure: bool
    expires: float


class Jar:
    """Cookies by host. Time is the clock's of the caller."""

    def __init__(self) -> None:
        self._hosts: dict[str, list[_Cookie]] = {}

    def store(self, url: Url, field: bytes, now: float, wall: float) -> None:
        """Keep what a ``Set-Cookie`` of an answer from ``url`` says, unless it is refused."""
        cookie = _read(url, field, now, wall)
        if cookie is None:
            return
        if url.host not in self._hosts and len(self._hosts) >= MAX_HOSTS:
            del self._hosts[next(iter(self._hosts))]
        kept = self._hosts.setdefault(url.host, [])
        same = (cookie.name, cookie.path)
        kept[:] = [old for old in kept if (old.name, old.path) != same]
        if cookie.expires > now:
            if len(kept) >= MAX_PER_HOST:
                del kept[0]
            kept.append(cookie)

    def field(self, url: Url, now: float) -> bytes | None:
        """Return the ``Cookie`` field for a request; longest path first, then oldest."""
        path = url.path.encode()
        fitting = [
            cookie
            for cookie in self._hosts.get(url.host, ())
            if cookie.expires > now
            and (url.scheme == "https" or not cookie.secure)
            and _covers(cookie.path, path)
        ]
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return b"; ".join(cookie.name + b"=" + cookie.value for cookie in fitting) or None


def _covers(cookie: bytes, path: bytes) -> bool:
    if not path.startswith(cookie):
        return False
    rest = path[len(cookie) :]
    return not rest or cookie.endswith(b"/") or rest.startswith(b"/")


def _pair(part: bytes) -> tuple[bytes, bytes, bool]:
    name, mark, value = part.partition(b"=")
    return name.strip(b" \t"), value.strip(b" \t"), bool(mark)


def _read(url: Url, field: bytes, now: float, wall: float) -> _Cookie | None:
    if len(field) > MAX_COOKIE or _CONTROL.search(field):
        return None
    first, *parts = field.split(b";")
    name, value, paired = _pair(first)
    if not paired or not name:
        return None
    folder = url.path[: url.path.rindex("/")].encode()
    cookie = _Cookie(name, value, folder or b"/", secure=False, expires=math.inf)
    max_age: float | None = None
    has_domain = has_root = False
    for part in parts:
        key, value, _ = _pair(part)
        key = key.lower()
        if key == b"secure":
            cookie.secure = True
        elif key == b"path" and value.startswith(b"/"):
            cookie.path = value
            has_root = value == b"/"
        elif key == b"domain" and value:
            has_domain = True
            domain = value.removeprefix(b".").lower()
            host = url.host.encode()
            if not domain or not (host == domain or host.endswith(b"." + domain)):
                return None
        elif key == b"max-age":
            age = _age(value)
            max_age = max_age if age is None else age
        elif key == b"expires":
            at = parse_date(value)
            if at is not None:
                cookie.expires = now + (at - wall)
    if max_age is not None:
        cookie.expires = now + max_age if max_age > 0 else -math.inf
    lower = name.lower()
    host_only = lower.startswith(b"__host-")
    secure_only = host_only or lower.startswith(b"__secure-")
    refused = (
        (cookie.secure and url.scheme != "https")
        or (secure_only and not cookie.secure)
        or (host_only and (has_domain or not has_root))
    )
    return None if refused else cookie


def _age(value: bytes) -> float | None:
    return float(value) if _AGE.fullmatch(value) else None


def parse_date(text: bytes) -> float | None:
    """Return the seconds since 1970 of ``Sun, 06 Nov 1994 08:49:37 GMT``; None for no date."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    day, year, hour, minute, second = (int(found[at]) for at in (1, 4, 5, 6, 7))
    if not 1 <= day <= 31 or year < 1970 or hour > 23 or minute > 59 or second > 60:
        return None
    month = datetime(year, _MONTHS.index(found[3]) + 1, 1, tzinfo=UTC)
    return month.timestamp() + (day - 1) * 86400 + hour * 3600 + minute * 60 + second


def retry_after(value: bytes, wall: float) -> float | None:
    """Return the seconds that a ``Retry-After`` asks to wait: a number, or a date."""
    if _AGE.fullmatch(value) and not value.startswith(b"-"):
        return float(value)
    at = parse_date(value)
    return None if at is None else max(at - wall, 0.0)
