"""TieredCache: a local cache in front of one that several processes share, on Valkey or Redis.

Reads ask the local cache first, then the shared one; writes and deletions go to both. When the
shared tier is lost, the local one goes on alone, says so once, and tries again with growing
pauses. What was written or deleted meanwhile is noted and deleted from the shared tier before it is
read again, so that nobody gets a value that this process knows to be old.

A local copy never outlives its shared original. What another process changes is seen here when the
local copy's time is up: give the local cache a ``ttl`` that bounds how old an answer may be.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from agentcore.cache.facade import FastCacheManager
from agentcore.errors import ConfigurationError

__all__ = ["TierStatus", "TieredCache"]

V = TypeVar("V")
D = TypeVar("D")

NOTED_LIMIT = 10_000
"""Changed keys that are noted while the shared tier is lost; beyond, all its keys are dropped."""
_PAUSES = (1.0, 30.0)  # seconds between two tries: at first, at most
_BATCH = 1000
_MISSING: Any = object()
_LOST: Any = object()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TierStatus:
    """How the shared tier does.

    Attributes:
        state: ``up`` or ``lost``.
        reason: why it is lost; else empty.
        hits: values that it gave.
        misses: keys that it did not have, or not readably.
        failures: calls that failed.
        noted: keys that it must forget before it is read again.
    """

    state: Literal["up", "lost"]
    reason: str
    hits: int
    misses: int
    failures: int
    noted: int


class _Fetched(Exception):  # noqa: N818 - it is no error
    """Carries a value of the shared tier to all who wait for a load."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


class TieredCache(Generic[V]):
    """A local and a shared cache as one. Keys are strings. Safe under threads.

    Args:
        local: the cache in this process.
        url: ``redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]``, ``rediss://`` for TLS, or
            ``unix:///PATH?db=0``.
        prefix: stands before each key in the shared tier; who shares values shares the prefix.
        ttl: seconds that a value lives in the shared tier, unless it is set with its own.
        timeout: seconds that one call may wait for the shared tier.
        dumps: makes bytes of a value; JSON if not given. What it raises reaches the caller, and
            nothing is stored.
        loads: makes a value of these bytes. What it refuses counts as missing.
        clock: gives seconds that never run backwards; the monotonic clock if not given.

    Raises:
        ConfigurationError: the address can't be used, or the package ``redis`` is not installed.
        ValueError: ``ttl`` or ``timeout`` is not above 0.
    """

    def __init__(
        self,
        local: FastCacheManager[str, V],
        url: str,
        *,
        prefix: str = "agentcore:",
        ttl: float | None = None,
        timeout: float = 0.5,
        dumps: Callable[[V], bytes] = _dumps,
        loads: Callable[[bytes], V] = json.loads,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, seconds in (("ttl", ttl), ("timeout", timeout)):
            if seconds is not None and not seconds > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {seconds}")
        self._local = local
        self._prefix = prefix
        self._ttl = ttl
        self._dumps, self._loads, self._clock = dumps, loads, clock
        self._lock = threading.Lock()
        self._reason = ""
        self._lost = False
        self._next_try = 0.0
        self._pause = _PAUSES[0]
        self._hits = self._misses = self._failures = 0
        self._noted: set[str] | None = set()  # None: too many, all keys must go
        self._client, self._errors = _connect(url, timeout)
        self._ask(lambda client: client.ping())

    @property
    def local(self) -> FastCacheManager[str, V]:
        """The cache in this process."""
        return self._local

    def get(self, key: str, default: D | None = None, /) -> V | D | None:
        """Return the value of ``key`` from the nearer tier that has it, or ``default``."""
        found = self._local.get(key, _MISSING)
        if found is _MISSING:
            found = self._fetch(key)
        return default if found is _MISSING else found

    def get_many(self, keys: Iterable[str], default: D | None = None, /) -> list[V | D | None]:
        """Return the value of each key, in the keys' order, or ``default``."""
        keys = list(keys)
        found: list[Any] = self._local.get_many(keys, _MISSING)
        absent = [at for at, value in enumerate(found) if value is _MISSING]
        if absent:
            fetched = self._fetch_many([keys[at] for at in absent])
            for at, value in zip(absent, fetched, strict=True):
                found[at] = value
        return [default if value is _MISSING else value for value in found]

    def get_or_load(self, key: str, loader: Callable[[str], V], /, ttl: float | None = None) -> V:
        """Return the value of ``key``; load it, once in this process, where no tier has it.

        Raises:
            BaseException: what ``loader`` raised; it reaches all who wait, and is not kept.
        """
        ttl = self._ttl if ttl is None else ttl

        def load(key: str) -> V:
            found = self._fetch(key)
            if found is not _MISSING:
                # Kept already, for as long as it has left; what is raised reaches all who wait.
                raise _Fetched(found)
            loaded = loader(key)
            self._put({key: self._dumps(loaded)}, ttl)
            return loaded

        try:
            return self._local.get_or_load(key, load, ttl)
        except _Fetched as fetched:
            value: V = fetched.value
            return value

    def set(self, key: str, value: V, /, ttl: float | None = None) -> None:
        """Store ``value`` in both tiers, for ``ttl`` seconds or as the tiers' own ``ttl`` say."""
        self.set_many({key: value}, ttl)

    def set_many(self, items: Mapping[str, V], /, ttl: float | None = None) -> None:
        """Store each pair, as :meth:`set` does; all are serialized before any is stored."""
        packed = {key: self._dumps(value) for key, value in items.items()}
        self._local.set_many(dict(items), ttl)
        self._put(packed, self._ttl if ttl is None else ttl)

    def delete(self, key: str, /) -> bool:
        """Remove ``key`` from both tiers; tell whether one of them is known to have had it."""
        had = self._local.delete(key)
        gone = self._ask(lambda client: client.unlink(self._prefix + key), changes=[key])
        return had or (gone is not _LOST and gone > 0)

    def status(self) -> TierStatus:
        """Return how the shared tier does."""
        with self._lock:
            noted = NOTED_LIMIT if self._noted is None else len(self._noted)
            state: Literal["up", "lost"] = "lost" if self._lost else "up"
            counts = (self._hits, self._misses, self._failures)
            return TierStatus(state, self._reason, *counts, noted)

    def close(self) -> None:
        """Close the connections to the shared tier."""
        self._client.close()

    def _fetch(self, key: str) -> Any:
        return self._fetch_many([key])[0]

    def _fetch_many(self, keys: list[str]) -> list[Any]:
        """Return the shared values, kept locally as long as they have left to live."""

        def ask(client: Any) -> list[Any]:
            with client.pipeline(transaction=False) as pipe:
                pipe.mget([self._prefix + key for key in keys])
                for key in keys:
                    pipe.pttl(self._prefix + key)
                answers: list[Any] = pipe.execute()
            return answers

        answers = self._ask(ask) if keys else [[]]
        if answers is _LOST:
            return [_MISSING] * len(keys)
        packed, times = answers[0], answers[1:]
        found = []
        for key, data, left in zip(keys, packed, times, strict=True):
            value = _MISSING if data is None or left == 0 or left == -2 else self._unpacked(data)
            if value is not _MISSING:
                self._local.set(key, value, None if left < 0 else left / 1000)
            found.append(value)
        hits = sum(value is not _MISSING for value in found)
        with self._lock:
            self._hits += hits
            self._misses += len(found) - hits
        return found

    def _unpacked(self, data: bytes) -> Any:
        try:
            return self._loads(data)
        except Exception:  # noqa: BLE001 - another program's value is no reason to fail
            return _MISSING

    def _put(self, packed: Mapping[str, bytes], ttl: float | None) -> None:
        milliseconds = None if ttl is None else max(1, int(ttl * 1000))

        def store(client: Any) -> None:
            with client.pipeline(transaction=False) as pipe:
                for key, data in packed.items():
                    pipe.set(self._prefix + key, data, px=milliseconds)
                pipe.execute()

        if packed:
            self._ask(store, changes=packed)

    def _ask(self, work: Callable[[Any], Any], changes: Iterable[str] = ()) -> Any:
        """Return what ``work`` answers, or ``_LOST``; note ``changes`` that did not get there."""
        if self._lost and not self._is_time():
            return self._forgone(changes)
        try:
            if self._lost:
                self._catch_up()
            return work(self._client)
        except self._errors as error:
            self._lose(error)
            return self._forgone(changes)

    def _is_time(self) -> bool:
        """Tell whether this caller shall try; the others go on without."""
        with self._lock:
            now = self._clock()
            if now < self._next_try:
                return False
            self._next_try = now + self._pause
            return True

    def _forgone(self, changes: Iterable[str]) -> Any:
        with self._lock:
            if self._noted is not None:
                self._noted.update(changes)
                if len(self._noted) > NOTED_LIMIT:
                    self._noted = None
        return _LOST

    def _catch_up(self) -> None:
        """Let the shared tier forget what has changed here meanwhile; then it is up again."""
        self._client.ping()
        while True:
            with self._lock:
                noted, self._noted = self._noted, set()
                if noted is not None and not noted:
                    self._lost, self._reason = False, ""
                    break
            try:
                self._forget(noted)
            except BaseException:
                with self._lock:
                    late = self._noted
                    self._noted = None if noted is None or late is None else noted | late
                raise
        _log.info("the shared cache is back")

    def _forget(self, noted: Collection[str] | None) -> None:
        if noted is None:
            pattern = "".join(f"\\{sign}" if sign in "*?[]\\" else sign for sign in self._prefix)
            keys = list(self._client.scan_iter(match=f"{pattern}*", count=_BATCH))
        else:
            keys = [self._prefix + key for key in noted]
        for at in range(0, len(keys), _BATCH):
            self._client.unlink(*keys[at : at + _BATCH])

    def _lose(self, error: Exception) -> None:
        with self._lock:
            first = not self._lost
            self._lost = True
            self._failures += 1
            self._reason = f"{type(error).__name__}: {error}"
            self._pause = _PAUSES[0] if first else min(self._pause * 2, _PAUSES[1])
            self._next_try = self._clock() + self._pause
        if first:
            _log.warning("the shared cache is lost, the local one goes on: %s", self._reason)


def _connect(url: str, timeout: float) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return a client, which connects when first used, and the errors that mean it is lost."""
    if not isinstance(url, str):
        raise TypeError(f"url must be str, got {type(url).__name__}")
    shown = f"{urlsplit(url).scheme}://…"  # the rest may hold a password
    try:
        import redis  # only who shares a cache pays for it
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError:
        raise ConfigurationError(
            "the package redis is not installed", shown, "pip install 'agentcore[shared]'"
        ) from None
    try:
        client = redis.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),  # the local cache answers; waiting helps nobody
        )
    except ValueError as error:
        expected = "redis://HOST:PORT/DATABASE, rediss://… or unix:///PATH"
        raise ConfigurationError(f"not the address of a cache: {error}", shown, expected) from None
    return client, (redis.RedisError, OSError)
