"""What a cache promises, whichever implementation answers.

**Bounds.** At most ``maxsize`` entries, and, with ``maxweight``, entries that weigh
at most that together; the policy chooses what goes. An entry weighs what it is set
with, else what ``weigher(key, value)`` says, else 1. One that alone weighs more than
``maxweight`` is not kept: nothing is evicted for it, and what was there under its
key goes. An entry that gets heavier is taken out, room is made, and it is put back
at the end of the queue it was in.

**Policies.** All are deterministic: the same calls with keys of the same hashes leave
the same entries in the same order; no decision but a collision of hashes depends on
what the hashes are.

* ``s3fifo``: as in "FIFO queues are all you need for cache eviction" (SOSP 2023): a
  small queue of a tenth of the entries, a main queue of the rest, and a ghost queue
  that remembers 32 bits of the hashes of as many evicted keys as the main queue holds.
* ``lru``: the least recently used goes.
* ``lfu``: new entries pass a window, used ones are proven; the oldest of the window
  replaces the oldest of the proven only where it was used more often. Frequencies are
  counted to 15, halved after ten times as many uses as there are entries, and
  remembered for twice as many evicted keys. The window is a hundredth; where a plain
  LRU would have served better it grows, to a half at most.
* ``auto``: ``lfu`` with a window that may grow to nearly all, and so become an LRU.

**Use.** A hit by :meth:`CacheCore.get`, ``cache[key]``, ``get_many`` or
``get_or_load``, and a ``set`` of a key that is there, count as a use. ``in``,
``peek`` and iteration do not, nor do they change the statistics.

**Time.** An entry is expired when the clock reads its deadline or later: ``ttl``
seconds after it was set, or ``tti`` seconds after its last use. It then counts as
missing everywhere but in ``len``, which counts the entries stored; it leaves when it
is next asked for, evicted, or swept by ``expire()``. The clock is read at most once
a call, and only by caches in which something can expire. Without a clock of the
caller's, time is that of a monotonic clock, some milliseconds fine.

**Tags.** An entry has the tags it was last set with. ``invalidate_tag`` removes all
entries with a tag.

**Order.** Iteration gives the keys in the order of the queues, oldest first: the one
queue of ``lru``; the small, then the main queue of ``s3fifo``; the window, then those
on probation, then the protected of ``lfu`` and ``auto``. It is a snapshot.

**Batches.** ``get_many``, ``set_many`` and ``delete_many`` look at the form and the
hash of every item before they touch an entry, so a bad one changes nothing.

**Loading.** ``get_or_load``, ``aget_or_load`` and the functions that ``cached`` makes
call the loader once, however many threads and tasks ask meanwhile; see
:mod:`agentcore.cache.flight`.

**Pickles** carry options, entries, their order, and the time they have left; not what
is remembered of evicted keys, nor the statistics, nor the manager.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, Protocol, get_args

__all__ = [
    "MAXSIZE_LIMIT",
    "MAXWEIGHT_LIMIT",
    "CacheCore",
    "CacheStats",
    "Policy",
    "check_options",
    "checked_tags",
    "checked_text",
    "checked_time",
    "checked_weight",
]

Policy = Literal["s3fifo", "lru", "lfu", "auto"]

MAXSIZE_LIMIT = 2**31 - 1
"""The most entries that a cache may be asked to hold."""

MAXWEIGHT_LIMIT = 2**62 - 1
"""The most weight that a cache may be asked to hold, or an entry may have."""


class CacheStats(NamedTuple):
    """What happened so far, and how full the cache is. Counts since it was made."""

    hits: int
    misses: int
    evictions: int
    expirations: int
    size: int
    maxsize: int
    weight: int = 0
    """What the entries weigh; 0 without ``maxweight``."""
    maxweight: int | None = None
    rejections: int = 0
    """Entries that were not kept because one alone weighs too much."""
    loads: int = 0
    """Loaders that were called."""
    load_failures: int = 0
    """Loaders among them that raised."""

    @property
    def hit_ratio(self) -> float:
        """Hits over all look-ups, 0.0 to 1.0; 0.0 before the first look-up."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class CacheCore(Protocol):
    """What the native module's and the twin's ``Cache`` both are.

    ``_dump`` returns of each live entry, in order: key, value, number of the queue,
    frequency, seconds to live and to idle (None for ever), weight, tags. ``_counts``
    returns hits, misses, evictions, expirations, rejections, size, weight.
    """

    def get(self, key: Hashable, default: Any = None, /) -> Any: ...
    def peek(self, key: Hashable, default: Any = None, /) -> Any: ...
    def set(
        self,
        key: Hashable,
        value: Any,
        /,
        ttl: float | None = None,
        *,
        weight: int | None = None,
        tags: Iterable[str] | None = None,
    ) -> None: ...
    def delete(self, key: Hashable, /) -> bool: ...
    def get_many(self, keys: Iterable[Hashable], default: Any = None, /) -> list[Any]: ...
    def set_many(
        self, items: Any, /, ttl: float | None = None, *, tags: Iterable[str] | None = None
    ) -> None: ...
    def delete_many(self, keys: Iterable[Hashable], /) -> int: ...
    def invalidate_tag(self, tag: str, /) -> int: ...
    def expire(self) -> int: ...
    def clear(self) -> None: ...
    def keys(self) -> list[Any]: ...
    def items(self) -> list[tuple[Any, Any]]: ...
    def _counts(self) -> tuple[int, ...]: ...
    def _dump(self) -> list[Any]: ...
    def _adopt(self, entries: list[Any], /) -> None: ...
    def __getitem__(self, key: Hashable, /) -> Any: ...
    def __setitem__(self, key: Hashable, value: Any, /) -> None: ...
    def __delitem__(self, key: Hashable, /) -> None: ...
    def __contains__(self, key: Hashable, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...


def check_options(
    maxsize: object,
    policy: object,
    ttl: object,
    tti: object,
    maxweight: object,
    weigher: object,
    clock: Callable[[], float] | None,
) -> None:
    """Check what a cache is made with; both implementations rely on it.

    Raises:
        TypeError: an option is of the wrong type.
        ValueError: an option is out of range.
    """
    _check_bound("maxsize", maxsize, MAXSIZE_LIMIT)
    if policy not in get_args(Policy):
        raise ValueError(f"policy must be 's3fifo', 'lru', 'lfu' or 'auto', got {policy!r}")
    for name, time in (("ttl", ttl), ("tti", tti)):
        if time is not None:
            checked_time(name, time)
    if maxweight is not None:
        _check_bound("maxweight", maxweight, MAXWEIGHT_LIMIT)
    elif weigher is not None:
        raise ValueError("weigher needs a cache with a maxweight")
    for name, function in (("weigher", weigher), ("clock", clock)):
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be callable, got {type(function).__name__}")


def _check_bound(name: str, bound: object, limit: int) -> None:
    if isinstance(bound, bool) or not isinstance(bound, int):
        raise TypeError(f"{name} must be an int, got {type(bound).__name__}")
    if not 1 <= bound <= limit:
        raise ValueError(f"{name} must be from 1 to {limit}, got {bound}")


def checked_time(name: str, time: Any) -> float:
    """Return ``time`` as seconds.

    Raises:
        TypeError: it is no number.
        ValueError: it is not finite and above zero.
    """
    message = f"{name} must be a positive number of seconds or None, got {time!r}"
    try:
        if math.isfinite(time) and time > 0:
            return float(time)
    except (TypeError, OverflowError):
        raise TypeError(message) from None
    raise ValueError(message)


def checked_weight(what: str, weight: Any) -> int:
    """Return ``weight``; ``what`` begins the error: "weight must be", "weigher must return".

    Raises:
        TypeError: it is no int.
        ValueError: it is out of range.
    """
    message = f"{what} an int from 0 to {MAXWEIGHT_LIMIT}, got "
    if isinstance(weight, bool) or not isinstance(weight, int):
        raise TypeError(message + type(weight).__name__)
    if not 0 <= weight <= MAXWEIGHT_LIMIT:
        raise ValueError(message + str(weight))
    return weight


def checked_tags(tags: Any) -> tuple[str, ...]:
    """Return ``tags``, each once, in the order given.

    Raises:
        TypeError: they are no iterable of strings.
        ValueError: one holds a lone surrogate.
    """
    if isinstance(tags, str):
        raise TypeError("tags must be an iterable of str, got one str")
    return tuple(dict.fromkeys(checked_text(f"tags[{at}]", tag) for at, tag in enumerate(tags)))


def checked_text(what: str, text: Any) -> str:
    """Return ``text``; ``what`` names it in the error, as in :func:`checked_tags`."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds a lone surrogate") from None
    return str(text)
