"""The policies of the twin: three queues, what a use does to them, and who goes.

Written to be read: each queue is an ``OrderedDict`` of entries, so its order is the
contract's. Entries are compared by identity, so no key's code runs here.
"""

# ruff: noqa: ARG002, D102 - the policies answer what Queues asks, whether they need all of it or not
from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any

from agentcore.cache.pulse import Pulse

__all__ = ["Entry", "Lfu", "Lru", "Queues", "S3Fifo", "make_queues"]

_S3_CAP = 3
_S3_SMALL_SHARE = 10  # the small queue's share is a tenth
_S3_PROMOTE_ABOVE = 1  # uses in the small queue that earn a place in the main one
_LFU_CAP = 15
_LFU_MARGIN = 1  # more by which a newcomer must have been used
_LFU_HISTORY = 2  # evicted keys, in entries, whose frequency is remembered
_LFU_MOST = {"lfu": 500, "auto": 990}  # thousandths that the window may grow to
_PROTECTED = 800  # thousandths of what the window leaves
_FIRST, _SECOND, _THIRD = range(3)


class Entry:
    """An entry, and all that belongs to it; hashed by identity."""

    __slots__ = (
        "expires",
        "frequency",
        "idle",
        "key",
        "queue",
        "stamp",
        "tag",
        "tags",
        "value",
        "weight",
    )

    def __init__(self, key: Hashable, tag: int, value: Any, expires: float, weight: int) -> None:
        self.key, self.tag, self.value = key, tag, value
        self.expires, self.idle = expires, math.inf
        self.weight = weight
        self.tags: tuple[str, ...] = ()
        self.frequency = self.stamp = self.queue = 0

    def is_late(self, now: float) -> bool:
        """Tell whether its time is up."""
        return self.expires <= now or self.idle <= now


class Ghost:
    """Remembers what was among the latest ``limit`` tags told, each with a note."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[int, Any]] = OrderedDict()
        self._first = self._next = 0

    def remember(self, tag: int, note: Any, limit: int) -> None:
        """Add ``tag`` as the newest and forget what is beyond ``limit``."""
        if limit == 0:
            return
        self._known.pop(tag, None)
        self._first = max(self._first, self._next - limit + 1)
        while self._known and next(iter(self._known.values()))[0] < self._first:
            self._known.popitem(last=False)
        self._known[tag] = (self._next, note)
        self._next += 1

    def recall(self, tag: int) -> Any:
        """Take ``tag`` out; return its note, or None if it is not there."""
        known = self._known.pop(tag, None)
        return None if known is None else known[1]


class Queues:
    """What all policies have: the queues, their weights, and the bounds."""

    def __init__(self, maxsize: int, maxweight: int | None) -> None:
        self.maxsize, self.maxweight = maxsize, maxweight
        self.queues: tuple[OrderedDict[Entry, None], ...] = tuple(OrderedDict() for _ in range(3))
        self.weights = [0, 0, 0]
        self.ghost = Ghost()

    def __len__(self) -> int:
        return sum(map(len, self.queues))

    def order(self) -> Iterator[Entry]:
        """Return the entries in the contract's order."""
        return chain(*self.queues)

    def is_over(self, weight: int) -> bool:
        """Tell whether one more entry of ``weight`` does not fit."""
        if len(self) >= self.maxsize:
            return True
        return self.maxweight is not None and sum(self.weights) > self.maxweight - weight

    def push(self, entry: Entry, to: int) -> None:
        """Append an entry to a queue."""
        entry.queue = to
        self.queues[to][entry] = None
        self.weights[to] += entry.weight

    def unlink(self, entry: Entry) -> None:
        """Take an entry out of its queue."""
        del self.queues[entry.queue][entry]
        self.weights[entry.queue] -= entry.weight

    def requeue(self, entry: Entry, to: int) -> None:
        """Move an entry to the end of a queue."""
        self.unlink(entry)
        self.push(entry, to)

    def head(self, queue: int) -> Entry | None:
        """Return the oldest entry of a queue."""
        return next(iter(self.queues[queue]), None)

    def aged(self, entry: Entry) -> int:
        """Return the frequency of an entry by today's measure."""
        return entry.frequency

    def settle(self) -> None:
        """Move what a new entry pushed out of its place."""

    def remember(self, victim: Entry, size: int) -> None:
        """Note that an entry is evicted from among ``size``."""

    def enter(self, entry: Entry, size: int) -> int:
        """Prepare a new entry among ``size``; return its queue."""
        return _FIRST

    def touch(self, entry: Entry, size: int) -> None:
        """Note a use of an entry among ``size``."""
        raise NotImplementedError

    def victim(self) -> Entry | None:
        """Return the entry that goes next."""
        raise NotImplementedError


class Lru(Queues):
    """One queue; a use moves an entry to its end."""

    def touch(self, entry: Entry, size: int) -> None:
        self.requeue(entry, _FIRST)

    def victim(self) -> Entry | None:
        return self.head(_FIRST)


class S3Fifo(Queues):
    """Small, main and ghost queue; a use only counts up, so a hit moves nothing."""

    def __init__(self, maxsize: int, maxweight: int | None) -> None:
        super().__init__(maxsize, maxweight)
        self._share = max(1, maxsize // _S3_SMALL_SHARE)
        self._share_weight = max(1, (maxweight or 0) // _S3_SMALL_SHARE)

    def enter(self, entry: Entry, size: int) -> int:
        return _FIRST if self.ghost.recall(entry.tag) is None else _SECOND

    def touch(self, entry: Entry, size: int) -> None:
        entry.frequency = min(entry.frequency + 1, _S3_CAP)

    def remember(self, victim: Entry, size: int) -> None:
        if victim.queue == _FIRST:
            self.ghost.remember(victim.tag, True, min(self.maxsize - self._share, size))

    def victim(self) -> Entry | None:
        small, main, _ = self.queues
        heavy = self.maxweight is not None and self.weights[_FIRST] >= self._share_weight
        if len(small) >= self._share or heavy or not main:
            while (entry := self.head(_FIRST)) is not None:
                if entry.frequency <= _S3_PROMOTE_ABOVE:
                    return entry
                entry.frequency = 0
                self.requeue(entry, _SECOND)
        while (entry := self.head(_SECOND)) is not None:
            if entry.frequency == 0:
                return entry
            entry.frequency -= 1
            self.requeue(entry, _SECOND)
        return self.head(_FIRST)


class Lfu(Queues):
    """Window, probation and protected queue; frequencies decide between window and rest."""

    def __init__(self, maxsize: int, maxweight: int | None, most: int) -> None:
        super().__init__(maxsize, maxweight)
        self._pulse = Pulse(most)

    def aged(self, entry: Entry) -> int:
        return self._pulse.aged(entry.frequency, self._pulse.since(entry.stamp))

    def enter(self, entry: Entry, size: int) -> int:
        note = self.ghost.recall(entry.tag)
        frequency, ticks = (0, None) if note is None else self._pulse.read(note)
        self._pulse.beat(ticks, False, size)
        entry.frequency = min(frequency + 1, _LFU_CAP)
        entry.stamp = self._pulse.stamp()
        return _FIRST

    def touch(self, entry: Entry, size: int) -> None:
        ticks = self._pulse.since(entry.stamp)
        frequency = self._pulse.aged(entry.frequency, ticks)
        self._pulse.beat(ticks, True, size)
        entry.frequency = min(frequency + 1, _LFU_CAP)
        entry.stamp = self._pulse.stamp()
        if entry.queue == _FIRST:
            self.requeue(entry, _FIRST)
            return
        self.requeue(entry, _THIRD)
        share = (1000 - self._pulse.share) * _PROTECTED // 1000
        while self._beyond(_THIRD, self.maxsize * share // 1000, share):
            self.requeue(next(iter(self.queues[_THIRD])), _SECOND)

    def settle(self) -> None:
        share = self._pulse.share
        while self._beyond(_FIRST, self._window(), share) and len(self.queues[_FIRST]) > 1:
            self.requeue(next(iter(self.queues[_FIRST])), _SECOND)

    def remember(self, victim: Entry, size: int) -> None:
        note = self._pulse.note(victim.frequency, self._pulse.since(victim.stamp))
        self.ghost.remember(victim.tag, note, _LFU_HISTORY * size)

    def victim(self) -> Entry | None:
        candidate = self.head(_FIRST)
        proven = self.head(_SECOND) or self.head(_THIRD)
        full = len(self.queues[_FIRST]) >= self._window()
        if self.maxweight is not None:
            full = full or self.weights[_FIRST] >= self._part(self._pulse.share)
        if proven is None or candidate is None or not full:
            return candidate if proven is None else proven
        if self.aged(candidate) > self.aged(proven) + _LFU_MARGIN:
            self.requeue(candidate, _SECOND)
            return proven
        return candidate

    def _window(self) -> int:
        return max(1, self.maxsize * self._pulse.share // 1000)

    def _part(self, share: int) -> int:
        return max(1, (self.maxweight or 0) // 1000 * share)

    def _beyond(self, queue: int, length: int, share: int) -> bool:
        heavy = self.maxweight is not None and self.weights[queue] > self._part(share)
        return len(self.queues[queue]) > length or heavy


def make_queues(policy: str, maxsize: int, maxweight: int | None) -> Queues:
    """Return the queues of a policy."""
    if policy == "lru":
        return Lru(maxsize, maxweight)
    if policy == "s3fifo":
        return S3Fifo(maxsize, maxweight)
    return Lfu(maxsize, maxweight, _LFU_MOST[policy])
