"""FastCacheManager: what callers use; they can't tell which implementation answers.

The facade binds the methods of the implementation it was given, so a good call
of ``get``, ``set``, ``get_many`` or ``set_many`` has no Python frame of ours on
its way. When native code panics, it asks the bridge for a twin and lets that
answer, then and for the rest of this cache's life. The twin starts empty: what a
failed implementation holds is not to be trusted, and a cache may always miss.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from agentcore.cache import twin
from agentcore.cache.contract import CacheCore, CacheStats, Policy, check_options
from agentcore.integration import Implementation, RustIntegrationManager, default_manager

__all__ = ["FastCacheManager"]

COMPONENT = "agent_core_utils"

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


class NativeCallError(RuntimeError):
    """Native code panicked; carries the panic's message."""


class _Bridge:
    """Makes the twin when the native cache asks for it. Knows neither facade nor cache."""

    def __init__(self, manager: RustIntegrationManager, options: tuple[Any, ...]) -> None:
        self._manager = manager
        self._options = options
        self.crossed = False

    def __call__(self, cause: str) -> twin.Cache:
        self.crossed = True
        if not cause.startswith("tripped"):
            self._manager.record_fault(COMPONENT, NativeCallError(cause))
        return twin.Cache(*self._options)


class FastCacheManager(Generic[K, V]):
    """A bounded cache of any hashable key to any value. Safe under threads.

    See :mod:`agentcore.cache.contract` for policies, order, time and batches.

    Args:
        maxsize: the most entries, 1 to 2**31 - 1.
        policy: ``"s3fifo"`` (resists scans) or ``"lru"``.
        ttl: seconds that an entry lives, unless it is set with its own.
        clock: gives seconds that never run backwards; the monotonic clock if not given.
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range.
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(
        self,
        maxsize: int = 1024,
        *,
        policy: Policy = "s3fifo",
        ttl: float | None = None,
        clock: Callable[[], float] | None = None,
        manager: RustIntegrationManager | None = None,
    ) -> None:
        check_options(maxsize, policy, ttl, clock)
        manager = default_manager() if manager is None else manager
        options = (maxsize, policy, ttl, clock)
        self._bridge = _Bridge(manager, options)
        native = manager.native(COMPONENT)
        self._core: CacheCore
        if native is None:
            self._bridge.crossed = True
            self._core = twin.Cache(*options)
        else:
            self._core = native.Cache(*options, self._bridge)
            manager.on_trip(COMPONENT, self._on_trip)
        # Instance attributes shadow the documented methods below: one frame less a call.
        for hot in ("get", "peek", "set", "delete", "get_many"):
            setattr(self, hot, getattr(self._core, hot))

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return "python" if self._bridge.crossed else "native"

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, default: D, /) -> V | D: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """Return the value of ``key``, or ``default``. A hit is a use."""
        return self._core.get(key, default)

    def peek(self, key: K, default: Any = None, /) -> Any:
        """Return the value of ``key``, or ``default``, without use and statistics."""
        return self._core.peek(key, default)

    def set(self, key: K, value: V, /, ttl: float | None = None) -> None:
        """Store ``value``, for ``ttl`` seconds or as long as the cache's own ``ttl`` says."""
        self._core.set(key, value, ttl)

    def delete(self, key: K, /) -> bool:
        """Remove ``key``; tell whether a live entry went."""
        return self._core.delete(key)

    @overload
    def get_many(self, keys: Iterable[K], /) -> list[V | None]: ...
    @overload
    def get_many(self, keys: Iterable[K], default: D, /) -> list[V | D]: ...
    def get_many(self, keys: Iterable[K], default: Any = None, /) -> list[Any]:
        """Return the value of each key, in the keys' order, or ``default``."""
        return self._core.get_many(keys, default)

    def set_many(
        self, items: Mapping[K, V] | Iterable[tuple[K, V]], /, ttl: float | None = None
    ) -> None:
        """Store each pair, in order, as :meth:`set` does."""
        if not isinstance(items, dict) and isinstance(items, Mapping):
            items = list(items.items())
        self._core.set_many(items, ttl)

    def delete_many(self, keys: Iterable[K], /) -> int:
        """Remove each key; return how many live entries went."""
        return self._core.delete_many(keys)

    def expire(self) -> int:
        """Remove the entries whose time is up; return how many."""
        return self._core.expire()

    def clear(self) -> None:
        """Remove all entries and what the policy remembers; the statistics stay."""
        self._core.clear()

    def keys(self) -> list[K]:
        """Return the live keys in the contract's order."""
        return self._core.keys()

    def items(self) -> list[tuple[K, V]]:
        """Return the live pairs in the contract's order."""
        return self._core.items()

    def stats(self) -> CacheStats:
        """Return the counts since this cache was made (since it fell back, if it did)."""
        return CacheStats(*self._core.stats())

    def __getitem__(self, key: K, /) -> V:
        value: V = self._core[key]
        return value

    def __setitem__(self, key: K, value: V, /) -> None:
        self._core[key] = value

    def __delitem__(self, key: K, /) -> None:
        del self._core[key]

    def __contains__(self, key: K, /) -> bool:
        return key in self._core

    def __len__(self) -> int:
        return len(self._core)

    def __iter__(self) -> Iterator[K]:
        return iter(self._core)

    def __repr__(self) -> str:
        size, maxsize = self.stats()[-2:]
        return f"<FastCacheManager {size}/{maxsize} entries, {self.implementation}>"

    def _on_trip(self) -> None:
        if not self._bridge.crossed:
            native: Any = self._core
            native.fall_back("tripped by another call")
