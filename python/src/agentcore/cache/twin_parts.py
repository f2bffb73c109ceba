"""What the twin's cache is made of beside its queues: tags of keys, its lock, pairs, ``Cached``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from types import MethodType
from typing import Any

__all__ = ["Cached", "Lock", "pairs_of", "tag_of"]

_WORD = 2**64 - 1


def tag_of(key: Hashable) -> int:
    """Return 32 well mixed bits of a key's hash, by which evicted keys are remembered."""
    spread = hash(key) & _WORD
    return ((spread ^ (spread >> 32)) * 0x9E3779B97F4A7C15 & _WORD) >> 32


class Lock:
    """A re-entrant lock, and what is to die when it is released."""

    __slots__ = ("_lock", "trash")

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.trash: list[Any] = []

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        trash, self.trash = self.trash, []
        self._lock.release()
        trash.clear()


def pairs_of(items: Any) -> list[tuple[Hashable, Any]]:
    """Return the pairs of a mapping, or of an iterable of two-tuples."""
    if isinstance(items, dict):
        return list(dict.items(items))
    if type(items) not in (list, tuple):
        named = getattr(items, "items", None)
        items = items if named is None else named()
    pairs = list(items)
    for at, pair in enumerate(pairs):
        if not isinstance(pair, tuple) or len(pair) != 2:
            kind = type(pair).__name__
            raise TypeError(f"items[{at}] must be a (key, value) tuple, got {kind}")
    return pairs


class Cached:
    """A function behind a cache: what the cache lacks, ``miss(key, args, kwargs)`` brings.

    The key is the only argument where that is a ``str`` or an ``int``; else the tuple
    of the arguments, with ``marker`` and the named ones behind it in their order.
    ``prefix``, if given, comes first: it tells functions apart that share a cache.
    """

    def __init__(
        self,
        cache: Any,
        miss: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any],
        marker: object,
        prefix: Hashable = None,
    ) -> None:
        self._cache, self._miss, self._marker, self._prefix = cache, miss, marker, prefix

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is kept for these arguments, or what ``miss`` brings."""
        key = self.key(*args, **kwargs)
        value = self._cache.get(key, self)  # nobody caches the cached function itself
        return self._miss(key, args, kwargs) if value is self else value

    def key(self, *args: Any, **kwargs: Any) -> Any:
        """Return the key that a call with these arguments has."""
        if self._prefix is None and not kwargs:
            return args[0] if len(args) == 1 and type(args[0]) in (str, int) else args
        parts = list(args) if self._prefix is None else [self._prefix, *args]
        if kwargs:
            parts.append(self._marker)
            for named in kwargs.items():
                parts += named
        return tuple(parts)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)
