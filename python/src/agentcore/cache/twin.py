"""The cache in pure Python: the reference that the native one must equal.

Entries are found by the tags of their keys; their order is kept by the queues of
:mod:`agentcore.cache.policies`. Code of the caller's (a key's ``__eq__``, a ``__del__``)
runs only while keys are compared, after which the search starts again, and after a
call is done: so it may use the same cache.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from typing import Any

from agentcore.cache.contract import checked_tags, checked_text, checked_time, checked_weight
from agentcore.cache.policies import Entry, make_queues
from agentcore.cache.twin_parts import Cached, Lock, pairs_of, tag_of

__all__ = ["Cache", "Cached"]


class Cache:
    """A bounded cache of any hashable key to any value; see the contract."""

    def __init__(
        self,
        maxsize: int,
        policy: str = "s3fifo",
        ttl: float | None = None,
        clock: Callable[[], float] | None = None,
        *,
        tti: float | None = None,
        maxweight: int | None = None,
        weigher: Callable[[Any, Any], int] | None = None,
    ) -> None:
        self._ttl = None if ttl is None else checked_time("ttl", ttl)
        self._tti = None if tti is None else checked_time("tti", tti)
        self._clock = time.monotonic if clock is None else clock
        self._timed = ttl is not None or tti is not None
        self._maxweight, self._weigher = maxweight, weigher
        self._table: dict[int, list[Entry]] = {}
        self._size = 0
        self._tagged: dict[str, dict[Entry, None]] = {}
        self._empty = partial(make_queues, policy, maxsize, maxweight)
        self._queues = self._empty()
        self._lock = Lock()
        self._hits = self._misses = self._evictions = self._expirations = self._rejections = 0

    def get(self, key: Hashable, default: Any = None, /) -> Any:
        tag = tag_of(key)
        now = self._now()
        with self._lock:
            entry = self._used(key, tag, now)
            return default if entry is None else entry.value

    def peek(self, key: Hashable, default: Any = None, /) -> Any:
        tag = tag_of(key)
        now = self._now()
        with self._lock:
            entry = self._find(key, tag)
            return default if entry is None or entry.is_late(now) else entry.value

    def set(
        self,
        key: Hashable,
        value: Any,
        /,
        ttl: float | None = None,
        *,
        weight: int | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        tag = tag_of(key)
        seconds = self._ttl if ttl is None else checked_time("ttl", ttl)
        labels = () if tags is None else checked_tags(tags)
        heavy = self._weight_of(weight, key, value)
        expires, now = self._deadline(seconds)
        with self._lock:
            self._put(key, tag, value, expires, heavy, labels, now)

    def _set(self, key: Hashable, value: Any, ttl: Any, weight: Any, tags: Any) -> None:
        self.set(key, value, ttl, weight=weight, tags=tags)

    def delete(self, key: Hashable, /) -> bool:
        tag = tag_of(key)
        now = self._now()
        with self._lock:
            return self._drop(self._find(key, tag), now)

    def get_many(self, keys: Iterable[Hashable], default: Any = None, /) -> list[Any]:
        keys = list(keys)
        hashes = [tag_of(key) for key in keys]
        now = self._now()
        with self._lock:
            values = []
            for key, tag in zip(keys, hashes, strict=True):
                entry = self._used(key, tag, now)
                values.append(default if entry is None else entry.value)
            return values

    def set_many(
        self, items: Any, /, ttl: float | None = None, *, tags: Iterable[str] | None = None
    ) -> None:
        pairs = pairs_of(items)
        hashes = [tag_of(key) for key, _ in pairs]
        seconds = self._ttl if ttl is None else checked_time("ttl", ttl)
        labels = () if tags is None else checked_tags(tags)
        weights = [self._weight_of(None, key, value) for key, value in pairs]
        expires, now = self._deadline(seconds)
        with self._lock:
            for (key, value), tag, weight in zip(pairs, hashes, weights, strict=True):
                self._put(key, tag, value, expires, weight, labels, now)

    def _set_many(self, items: Any, ttl: Any, tags: Any) -> None:
        self.set_many(items, ttl, tags=tags)

    def delete_many(self, keys: Iterable[Hashable], /) -> int:
        keys = list(keys)
        hashes = [tag_of(key) for key in keys]
        now = self._now()
        with self._lock:
            both = zip(keys, hashes, strict=True)
            return sum(self._drop(self._find(key, tag), now) for key, tag in both)

    def get_or_load(
        self,
        key: Hashable,
        loader: Callable[[Any], Any],
        /,
        ttl: float | None = None,
        *,
        weight: int | None = None,
        tags: Iterable[str] | None = None,
    ) -> Any:
        value = self.get(key, self)  # nobody stores the cache itself
        if value is not self:
            return value
        load: Any = self
        return load._load(key, loader, ttl, weight, tags)  # the facade's

    def invalidate_tag(self, tag: str, /) -> int:
        tag = checked_text("tag", tag)
        now = self._now()
        with self._lock:
            return sum(self._drop(entry, now) for entry in list(self._tagged.get(tag, ())))

    def expire(self) -> int:
        now = self._now()
        with self._lock:
            late = [entry for entry in self._queues.order() if entry.is_late(now)]
            for entry in late:
                self._drop(entry, now)
            return len(late)

    def clear(self) -> None:
        with self._lock:
            self._lock.trash += [self._table, self._tagged, self._queues]
            self._table, self._tagged, self._queues = {}, {}, self._empty()
            self._size = 0

    def keys(self) -> list[Any]:
        return [key for key, _ in self.items()]

    def items(self) -> list[tuple[Any, Any]]:
        return [(entry.key, entry.value) for entry in self._live()[0]]

    def _dump(self) -> list[Any]:
        entries, now = self._live()

        def left(deadline: float) -> float | None:
            return None if deadline == math.inf else deadline - now

        with self._lock:
            return [
                (
                    *(entry.key, entry.value, entry.queue, self._queues.aged(entry)),
                    *(left(entry.expires), left(entry.idle), entry.weight, entry.tags),
                )
                for entry in entries
            ]

    def _adopt(self, entries: list[Any], /) -> None:
        self._timed = self._timed or any(row[4:6] != (None, None) for row in entries)
        now = self._now()
        with self._lock:
            for key, value, queue, frequency, ttl, tti, weight, tags in entries:
                entry = Entry(key, tag_of(key), value, math.inf, weight)
                entry.expires = math.inf if ttl is None else now + ttl
                entry.idle = math.inf if tti is None else now + tti
                entry.frequency = frequency
                self._add(entry, checked_tags(tags), queue)

    def _counts(self) -> tuple[int, ...]:
        with self._lock:
            counts = (self._hits, self._misses, self._evictions)
            more = (self._expirations, self._rejections)
            return (*counts, *more, self._size, sum(self._queues.weights))

    def __getitem__(self, key: Hashable, /) -> Any:
        value = Cache.get(self, key, self)
        if value is self:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Hashable, value: Any, /) -> None:
        Cache.set(self, key, value)

    def __delitem__(self, key: Hashable, /) -> None:
        if not Cache.delete(self, key):
            raise KeyError(key)

    def __contains__(self, key: Hashable, /) -> bool:
        return Cache.peek(self, key, self) is not self

    def __len__(self) -> int:
        with self._lock:
            return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def _live(self) -> tuple[list[Entry], float]:
        now = self._now()
        with self._lock:
            return [entry for entry in self._queues.order() if not entry.is_late(now)], now

    def _now(self) -> float:
        return self._clock() if self._timed else -math.inf

    def _deadline(self, seconds: float | None) -> tuple[float, float]:
        """Return when an entry set now expires, and now."""
        if seconds is None:
            return math.inf, self._now()
        self._timed = True
        now = self._now()
        return now + seconds, now

    def _weight_of(self, weight: int | None, key: Hashable, value: Any) -> int:
        if weight is not None:
            if self._maxweight is None:
                raise ValueError("weight needs a cache with a maxweight")
            return checked_weight("weight must be", weight)
        if self._weigher is not None:
            return checked_weight("weigher must return", self._weigher(key, value))
        return 0 if self._maxweight is None else 1

    def _find(self, key: Hashable, tag: int) -> Entry | None:
        """Return the entry of ``key``; compares one key a time, then looks again."""
        equal: Entry | None = None
        different: list[Entry] = []
        while True:
            unknown: Entry | None = None
            for entry in self._table.get(tag, ()):
                if entry.key is key or entry is equal:
                    return entry
                if entry not in different:
                    unknown = entry
            if unknown is None:
                return None
            same = unknown.key == key
            self._lock.trash.append(unknown)  # it may have gone meanwhile: not to die here
            if same:
                equal = unknown
            else:
                different.append(unknown)

    def _used(self, key: Hashable, tag: int, now: float) -> Entry | None:
        """Return the live entry of ``key`` and count the look-up."""
        entry = self._live_or_none(key, tag, now)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._use(entry, now)
        return entry

    def _live_or_none(self, key: Hashable, tag: int, now: float) -> Entry | None:
        entry = self._find(key, tag)
        if entry is not None and entry.is_late(now):
            self._drop(entry, now)
            return None
        return entry

    def _use(self, entry: Entry, now: float) -> None:
        if self._tti is not None:
            entry.idle = now + self._tti
        self._queues.touch(entry, self._size)

    def _put(
        self,
        key: Hashable,
        tag: int,
        value: Any,
        expires: float,
        weight: int,
        labels: tuple[str, ...],
        now: float,
    ) -> None:
        entry = self._live_or_none(key, tag, now)
        if self._maxweight is not None and weight > self._maxweight:
            self._rejections += 1
            self._lock.trash.append(value)
            if entry is not None:
                self._take(entry)
            return
        if entry is None:
            self._make_room(weight)
            entry = Entry(key, tag, value, expires, weight)
            if self._tti is not None:
                entry.idle = now + self._tti
            queue = self._queues.enter(entry, self._size)
            self._add(entry, labels, queue)
            self._queues.settle()
            return
        self._lock.trash.append(entry.value)
        entry.value, entry.expires = value, expires
        self._label(entry, labels)
        self._use(entry, now)
        if weight != entry.weight:
            self._reweigh(entry, weight)

    def _reweigh(self, entry: Entry, weight: int) -> None:
        if weight < entry.weight:
            self._queues.weights[entry.queue] -= entry.weight - weight
            entry.weight = weight
            return
        self._queues.unlink(entry)
        self._make_room(weight)
        entry.weight = weight
        self._queues.push(entry, entry.queue)
        self._queues.settle()

    def _make_room(self, weight: int) -> None:
        while self._queues.is_over(weight):
            victim = self._queues.victim()
            if victim is None:
                return
            self._queues.remember(victim, self._size)
            self._take(victim)
            self._evictions += 1

    def _drop(self, entry: Entry | None, now: float) -> bool:
        """Remove an entry; tell whether a live one went."""
        if entry is None:
            return False
        late = entry.is_late(now)
        self._expirations += late
        self._take(entry)
        return not late

    def _add(self, entry: Entry, labels: tuple[str, ...], queue: int) -> None:
        self._table.setdefault(entry.tag, []).append(entry)
        self._size += 1
        self._label(entry, labels)
        self._queues.push(entry, queue)

    def _take(self, entry: Entry) -> None:
        self._lock.trash.append(entry)
        same = self._table[entry.tag]
        same.remove(entry)
        if not same:
            del self._table[entry.tag]
        self._size -= 1
        self._label(entry, ())
        self._queues.unlink(entry)

    def _label(self, entry: Entry, labels: tuple[str, ...]) -> None:
        for label in entry.tags:
            del self._tagged[label][entry]
            if not self._tagged[label]:
                del self._tagged[label]
        entry.tags = labels
        for label in labels:
            self._tagged.setdefault(label, {})[entry] = None
