"""The cache in pure Python: the reference that the native one must equal.

Written to be read: each policy is the queues that the contract names, in
``OrderedDict``s, so iteration order is queue order.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain
from typing import Any

from agentcore.cache.contract import checked_ttl

__all__ = ["Cache"]

_FREQUENCY_CAP = 3
_SMALL_SHARE = 10  # the small queue's share is a tenth
_PROMOTE_ABOVE = 1  # uses in the small queue that earn a place in the main one


class _Entry:
    __slots__ = ("expires", "frequency", "value")

    def __init__(self, value: Any, expires: float) -> None:
        self.value = value
        self.expires = expires
        self.frequency = 0


class _Lru:
    """One queue; a use moves an entry to its end."""

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._queue: OrderedDict[Hashable, _Entry] = OrderedDict()

    def find(self, key: Hashable) -> _Entry | None:
        return self._queue.get(key)

    def use(self, key: Hashable, _entry: _Entry) -> None:
        self._queue.move_to_end(key)

    def add(self, key: Hashable, entry: _Entry) -> int:
        evicted = 0
        while len(self._queue) >= self._maxsize:
            self._queue.popitem(last=False)
            evicted += 1
        self._queue[key] = entry
        return evicted

    def remove(self, key: Hashable) -> None:
        del self._queue[key]

    def clear(self) -> None:
        self._queue.clear()

    def order(self) -> Iterator[tuple[Hashable, _Entry]]:
        return iter(self._queue.items())

    def __len__(self) -> int:
        return len(self._queue)


class _S3Fifo:
    """Small, main and ghost queue; a use only counts up, so a hit moves nothing."""

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._small_share = max(1, maxsize // _SMALL_SHARE)
        self._ghost_limit = maxsize - self._small_share
        self._small: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._main: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._ghost: OrderedDict[int, None] = OrderedDict()

    def find(self, key: Hashable) -> _Entry | None:
        entry = self._small.get(key)
        return self._main.get(key) if entry is None else entry

    def use(self, _key: Hashable, entry: _Entry) -> None:
        entry.frequency = min(entry.frequency + 1, _FREQUENCY_CAP)

    def add(self, key: Hashable, entry: _Entry) -> int:
        evicted = 0
        while len(self) >= self._maxsize:
            self._evict()
            evicted += 1
        ghost = hash(key)
        if ghost in self._ghost:
            del self._ghost[ghost]
            self._main[key] = entry
        else:
            self._small[key] = entry
        return evicted

    def remove(self, key: Hashable) -> None:
        if key in self._small:
            del self._small[key]
        else:
            del self._main[key]

    def clear(self) -> None:
        self._small.clear()
        self._main.clear()
        self._ghost.clear()

    def order(self) -> Iterator[tuple[Hashable, _Entry]]:
        return chain(self._small.items(), self._main.items())

    def __len__(self) -> int:
        return len(self._small) + len(self._main)

    def _evict(self) -> None:
        if len(self._small) >= self._small_share or not self._main:
            while self._small:
                key, entry = self._small.popitem(last=False)
                if entry.frequency > _PROMOTE_ABOVE:
                    entry.frequency = 0
                    self._main[key] = entry
                else:
                    self._remember(hash(key))
                    return
        while True:
            key, entry = self._main.popitem(last=False)
            if entry.frequency == 0:
                return
            entry.frequency -= 1
            self._main[key] = entry

    def _remember(self, ghost: int) -> None:
        if self._ghost_limit == 0:
            return
        self._ghost.pop(ghost, None)
        self._ghost[ghost] = None
        if len(self._ghost) > self._ghost_limit:
            self._ghost.popitem(last=False)


class Cache:
    """A bounded cache of any hashable key to any value; see the contract.

    The lock is re-entrant: a key's ``__eq__`` may call the cache.
    """

    def __init__(
        self,
        maxsize: int,
        policy: str = "s3fifo",
        ttl: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._maxsize = maxsize
        self._ttl = None if ttl is None else checked_ttl(ttl)
        self._clock = time.monotonic if clock is None else clock
        self._timed = ttl is not None
        self._queues = _Lru(maxsize) if policy == "lru" else _S3Fifo(maxsize)
        self._lock = threading.RLock()
        self._hits = self._misses = self._evictions = self._expirations = 0

    def get(self, key: Hashable, default: Any = None, /) -> Any:
        hash(key)
        now = self._now()
        with self._lock:
            entry = self._used(key, now)
            return default if entry is None else entry.value

    def peek(self, key: Hashable, default: Any = None, /) -> Any:
        hash(key)
        now = self._now()
        with self._lock:
            entry = self._queues.find(key)
            return default if entry is None or entry.expires <= now else entry.value

    def set(self, key: Hashable, value: Any, /, ttl: float | None = None) -> None:
        hash(key)
        expires, now = self._deadline(ttl)
        with self._lock:
            self._put(key, value, expires, now)

    def delete(self, key: Hashable, /) -> bool:
        hash(key)
        now = self._now()
        with self._lock:
            return self._drop(key, now)

    def get_many(self, keys: Iterable[Hashable], default: Any = None, /) -> list[Any]:
        keys = list(keys)
        for key in keys:
            hash(key)
        now = self._now()
        with self._lock:
            entries = [self._used(key, now) for key in keys]
            return [default if entry is None else entry.value for entry in entries]

    def set_many(self, items: Iterable[Any], /, ttl: float | None = None) -> None:
        pairs = list(items.items() if isinstance(items, dict) else items)
        for at, pair in enumerate(pairs):
            if not isinstance(pair, tuple) or len(pair) != 2:
                kind = type(pair).__name__
                raise TypeError(f"items[{at}] must be a (key, value) tuple, got {kind}")
        for key, _ in pairs:
            hash(key)
        expires, now = self._deadline(ttl)
        with self._lock:
            for key, value in pairs:
                self._put(key, value, expires, now)

    def delete_many(self, keys: Iterable[Hashable], /) -> int:
        keys = list(keys)
        for key in keys:
            hash(key)
        now = self._now()
        with self._lock:
            return sum(self._drop(key, now) for key in keys)

    def expire(self) -> int:
        now = self._now()
        with self._lock:
            late = [key for key, entry in self._queues.order() if entry.expires <= now]
            for key in late:
                self._queues.remove(key)
            self._expirations += len(late)
            return len(late)

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()

    def keys(self) -> list[Any]:
        return [key for key, _ in self.items()]

    def items(self) -> list[tuple[Any, Any]]:
        now = self._now()
        with self._lock:
            order = list(self._queues.order())
        return [(key, entry.value) for key, entry in order if entry.expires > now]

    def stats(self) -> tuple[int, int, int, int, int, int]:
        with self._lock:
            counts = (self._hits, self._misses, self._evictions, self._expirations)
            return (*counts, len(self._queues), self._maxsize)

    def __getitem__(self, key: Hashable, /) -> Any:
        hash(key)
        now = self._now()
        with self._lock:
            entry = self._used(key, now)
        if entry is None:
            raise KeyError(key)
        return entry.value

    def __setitem__(self, key: Hashable, value: Any, /) -> None:
        self.set(key, value)

    def __delitem__(self, key: Hashable, /) -> None:
        if not self.delete(key):
            raise KeyError(key)

    def __contains__(self, key: Hashable, /) -> bool:
        hash(key)
        now = self._now()
        with self._lock:
            entry = self._queues.find(key)
            return entry is not None and entry.expires > now

    def __len__(self) -> int:
        with self._lock:
            return len(self._queues)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def _now(self) -> float:
        return self._clock() if self._timed else -math.inf

    def _deadline(self, ttl: float | None) -> tuple[float, float]:
        """Return when an entry set now expires, and now."""
        seconds = self._ttl if ttl is None else checked_ttl(ttl)
        if seconds is None:
            return math.inf, self._now()
        self._timed = True
        now = self._now()
        return now + seconds, now

    def _used(self, key: Hashable, now: float) -> _Entry | None:
        """Return the live entry of ``key`` and count the look-up."""
        entry = self._queues.find(key)
        if entry is not None and entry.expires <= now:
            self._queues.remove(key)
            self._expirations += 1
            entry = None
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._queues.use(key, entry)
        return entry

    def _put(self, key: Hashable, value: Any, expires: float, now: float) -> None:
        entry = self._queues.find(key)
        if entry is not None and entry.expires <= now:
            self._queues.remove(key)
            self._expirations += 1
            entry = None
        if entry is None:
            self._evictions += self._queues.add(key, _Entry(value, expires))
            return
        entry.value, entry.expires = value, expires
        self._queues.use(key, entry)

    def _drop(self, key: Hashable, now: float) -> bool:
        """Remove ``key``; tell whether a live entry went."""
        entry = self._queues.find(key)
        if entry is None:
            return False
        self._queues.remove(key)
        if entry.expires <= now:
            self._expirations += 1
            return False
        return True
