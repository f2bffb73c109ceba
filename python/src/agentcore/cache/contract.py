"""What a cache promises, whichever implementation answers.

**Bound.** At most ``maxsize`` entries; the policy chooses what goes.

**Policies.** ``lru``: the least recently used goes. ``s3fifo``: as in "FIFO queues
are all you need for cache eviction" (SOSP 2023): a small queue of a tenth of the
entries, a main queue of the rest, and a ghost queue that remembers the hashes of
as many evicted keys as the main queue holds. Both are deterministic: the same
calls with the same hashes leave the same entries in the same order.

**Use.** A hit by :meth:`CacheCore.get`, ``cache[key]`` or ``get_many``, and a
``set`` of a key that is there, count as a use. ``in``, ``peek`` and iteration
do not, nor do they change the statistics.

**Time.** An entry is expired when the clock reads its deadline or later. It then
counts as missing everywhere but in ``len``, which counts the entries stored; it
leaves when it is next asked for, evicted, or swept by ``expire()``. The clock
is read at most once a call, and only by caches in which something can expire.

**Order.** Iteration gives the keys in the order of the queues, soonest to be
looked at for eviction first: least recently used first for ``lru``; the small
queue, then the main queue, oldest first, for ``s3fifo``. It is a snapshot.

**Batches.** ``get_many``, ``set_many`` and ``delete_many`` hash every key before
they touch an entry, so an unhashable key changes nothing.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, Protocol, get_args

__all__ = [
    "MAXSIZE_LIMIT",
    "CacheCore",
    "CacheStats",
    "Policy",
    "check_options",
    "ttl_error",
]

Policy = Literal["s3fifo", "lru"]

MAXSIZE_LIMIT = 2**31 - 1
"""The most entries that a cache may be asked to hold."""


class CacheStats(NamedTuple):
    """What happened so far, and how full the cache is. Counts since it was made."""

    hits: int
    misses: int
    evictions: int
    expirations: int
    size: int
    maxsize: int

    @property
    def hit_ratio(self) -> float:
        """Hits over all look-ups, 0.0 to 1.0; 0.0 before the first look-up."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class CacheCore(Protocol):
    """What the native module's and the twin's ``Cache`` both are."""

    def get(self, key: Hashable, default: Any = None, /) -> Any: ...
    def peek(self, key: Hashable, default: Any = None, /) -> Any: ...
    def set(self, key: Hashable, value: Any, /, ttl: float | None = None) -> None: ...
    def delete(self, key: Hashable, /) -> bool: ...
    def get_many(self, keys: Iterable[Hashable], default: Any = None, /) -> list[Any]: ...
    def set_many(self, items: Iterable[Any], /, ttl: float | None = None) -> None: ...
    def delete_many(self, keys: Iterable[Hashable], /) -> int: ...
    def expire(self) -> int: ...
    def clear(self) -> None: ...
    def keys(self) -> list[Any]: ...
    def items(self) -> list[tuple[Any, Any]]: ...
    def stats(self) -> tuple[int, int, int, int, int, int]: ...
    def __getitem__(self, key: Hashable, /) -> Any: ...
    def __setitem__(self, key: Hashable, value: Any, /) -> None: ...
    def __delitem__(self, key: Hashable, /) -> None: ...
    def __contains__(self, key: Hashable, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...


def ttl_error(ttl: object) -> str:
    """Return the message about a time to live that is none."""
    return f"ttl must be a positive number of seconds or None, got {ttl!r}"


def check_options(
    maxsize: object, policy: object, ttl: object, clock: Callable[[], float] | None
) -> None:
    """Check what a cache is made with; both implementations rely on it.

    Raises:
        TypeError: an option is of the wrong type.
        ValueError: an option is out of range.
    """
    if isinstance(maxsize, bool) or not isinstance(maxsize, int):
        raise TypeError(f"maxsize must be an int, got {type(maxsize).__name__}")
    if not 1 <= maxsize <= MAXSIZE_LIMIT:
        raise ValueError(f"maxsize must be from 1 to {MAXSIZE_LIMIT}, got {maxsize}")
    if policy not in get_args(Policy):
        raise ValueError(f"policy must be 's3fifo' or 'lru', got {policy!r}")
    if ttl is not None:
        checked_ttl(ttl)
    if clock is not None and not callable(clock):
        raise TypeError(f"clock must be callable, got {type(clock).__name__}")


def checked_ttl(ttl: Any) -> float:
    """Return ``ttl`` as seconds.

    Raises:
        TypeError: it is no number.
        ValueError: it is not finite and above zero.
    """
    try:
        if math.isfinite(ttl) and ttl > 0:
            return float(ttl)
    except (TypeError, OverflowError):
        raise TypeError(ttl_error(ttl)) from None
    raise ValueError(ttl_error(ttl))
