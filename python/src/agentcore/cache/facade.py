"""FastCacheManager: what callers use; they can't tell which implementation answers.

A cache is an instance of a class that is made, once, of the implementation's ``Cache``
and of :class:`FastCacheManager`, in that order. So ``cache.get(key)`` and ``cache[key]``
are the implementation's own method and type slot: a good call has no Python frame of
ours on its way. When native code panics, it asks the bridge for a twin and lets that
answer, then and for the rest of this cache's life. The twin starts empty: what a failed
implementation holds is not to be trusted, and a cache may always miss.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from agentcore.cache import twin
from agentcore.cache.contract import MAXSIZE_LIMIT, CacheStats, Policy, check_options, checked_time
from agentcore.cache.flight import MISSING, Flights
from agentcore.integration import (
    TRIPPED,
    Bridge,
    Implementation,
    RustIntegrationManager,
    default_manager,
)

__all__ = ["FastCacheManager"]

COMPONENT = "agent_core_utils"
_MAXSIZE = 1024
_LOAD_TIMEOUT = 60.0

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


class FastCacheManager(Generic[K, V]):
    """A bounded cache of any hashable key to any value. Safe under threads.

    See :mod:`agentcore.cache.contract` for bounds, policies, order, time and batches. The
    class can't be subclassed: its instances are made of an implementation.

    Args:
        maxsize: the most entries, 1 to 2**31 - 1; 1024, or no bound beside ``maxweight``.
        policy: ``"s3fifo"`` (resists scans), ``"lru"``, ``"lfu"`` or ``"auto"``.
        ttl: seconds that an entry lives, unless it is set with its own.
        tti: seconds that an entry lives without being used.
        maxweight: the most that all entries together may weigh.
        weigher: ``weigher(key, value)`` gives the weight of an entry that is set without.
        clock: gives seconds that never run backwards; a monotonic clock if not given.
        load_timeout: seconds that one who loads waits for the same load of another.
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range.
        NativeUnavailableError: native code is required and can't be used.
    """

    _bridge: Bridge
    _flights: Flights
    _options: dict[str, Any]
    _wrapper: Any

    def __new__(
        cls,
        maxsize: int | None = None,
        *,
        policy: Policy = "s3fifo",
        ttl: float | None = None,
        tti: float | None = None,
        maxweight: int | None = None,
        weigher: Callable[[Any, Any], int] | None = None,
        clock: Callable[[], float] | None = None,
        load_timeout: float = _LOAD_TIMEOUT,
        manager: RustIntegrationManager | None = None,
    ) -> FastCacheManager[K, V]:
        """Make a cache of the implementation that the manager chooses."""
        if maxsize is None:
            maxsize = _MAXSIZE if maxweight is None else MAXSIZE_LIMIT
        check_options(maxsize, policy, ttl, tti, maxweight, weigher, clock)
        load_timeout = checked_time("load_timeout", load_timeout)
        manager = default_manager() if manager is None else manager
        options = (maxsize, policy, ttl, clock)
        more: dict[str, Any] = {"tti": tti, "maxweight": maxweight, "weigher": weigher}
        bridge = Bridge(manager, COMPONENT, functools.partial(twin.Cache, *options, **more))
        native = manager.native(COMPONENT)
        self: Any
        if native is None:
            bridge.crossed = True
            self = object.__new__(_class_of(twin.Cache, twin.Cached))
            twin.Cache.__init__(self, *options, **more)
        else:
            made = _class_of(native.Cache, native.Cached)
            self = native.Cache.__new__(made, *options, **more, on_fault=bridge)
            manager.on_trip(COMPONENT, self._on_trip)
        self._bridge = bridge
        self._flights = Flights(load_timeout)
        self._options = dict(zip(("maxsize", "policy", "ttl", "clock"), options, strict=True))
        self._options |= {**more, "load_timeout": load_timeout}
        return self  # type: ignore[no-any-return]

    def __init_subclass__(cls, *, made: bool = False) -> None:
        if not made:
            raise TypeError("FastCacheManager can't be subclassed; wrap one instead")

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return self._bridge.implementation

    # What follows down to __iter__ is what the implementation has, for readers and type
    # checkers: in the classes that are made, the implementation comes first.

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, default: D, /) -> V | D: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """Return the value of ``key``, or ``default``. A hit is a use."""
        raise NotImplementedError

    def peek(self, key: K, default: Any = None, /) -> Any:
        """Return the value of ``key``, or ``default``, without use and statistics."""
        raise NotImplementedError

    def set(
        self,
        key: K,
        value: V,
        /,
        ttl: float | None = None,
        *,
        weight: int | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """Store ``value``, for ``ttl`` seconds or as long as the cache's own ``ttl`` says."""
        raise NotImplementedError

    def delete(self, key: K, /) -> bool:
        """Remove ``key``; tell whether a live entry went."""
        raise NotImplementedError

    @overload
    def get_many(self, keys: Iterable[K], /) -> list[V | None]: ...
    @overload
    def get_many(self, keys: Iterable[K], default: D, /) -> list[V | D]: ...
    def get_many(self, keys: Iterable[K], default: Any = None, /) -> list[Any]:
        """Return the value of each key, in the keys' order, or ``default``."""
        raise NotImplementedError

    def set_many(
        self,
        items: Mapping[K, V] | Iterable[tuple[K, V]],
        /,
        ttl: float | None = None,
        *,
        tags: Iterable[str] | None = None,
    ) -> None:
        """Store each pair, in order, as :meth:`set` does."""
        raise NotImplementedError

    def delete_many(self, keys: Iterable[K], /) -> int:
        """Remove each key; return how many live entries went."""
        raise NotImplementedError

    def get_or_load(
        self,
        key: K,
        loader: Callable[[K], V],
        /,
        ttl: float | None = None,
        *,
        weight: int | None = None,
        tags: Iterable[str] | None = None,
    ) -> V:
        """Return the value of ``key``; where it is missing, store and return ``loader(key)``.

        Raises:
            RuntimeError: the loader asks for its own key.
            TimeoutError: another load of the key takes more than ``load_timeout``.
        """
        raise NotImplementedError

    def invalidate_tag(self, tag: str, /) -> int:
        """Remove all entries with ``tag``; return how many live ones went."""
        raise NotImplementedError

    def expire(self) -> int:
        """Remove the entries whose time is up; return how many."""
        raise NotImplementedError

    def clear(self) -> None:
        """Remove all entries and what the policy remembers; the statistics stay."""
        raise NotImplementedError

    def keys(self) -> list[K]:
        """Return the live keys in the contract's order."""
        raise NotImplementedError

    def items(self) -> list[tuple[K, V]]:
        """Return the live pairs in the contract's order."""
        raise NotImplementedError

    def __getitem__(self, key: K, /) -> V:
        raise NotImplementedError

    def __setitem__(self, key: K, value: V, /) -> None:
        raise NotImplementedError

    def __delitem__(self, key: K, /) -> None:
        raise NotImplementedError

    def __contains__(self, key: K, /) -> bool:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[K]:
        raise NotImplementedError

    async def aget_or_load(
        self,
        key: K,
        loader: Callable[[K], Awaitable[V] | V],
        /,
        ttl: float | None = None,
        *,
        weight: int | None = None,
        tags: Iterable[str] | None = None,
    ) -> V:
        """Do as :meth:`get_or_load` does; what the loader returns is awaited if it can be."""
        value: Any = self.get(key, MISSING)
        if value is MISSING:
            value = await self._aload(key, loader, ttl, weight, tags)
        return value  # type: ignore[no-any-return]

    def stats(self) -> CacheStats:
        """Return the counts since this cache was made (since it fell back, if it did)."""
        core: Any = self
        hits, misses, evictions, expirations, rejections, size, weight = core._counts()
        return CacheStats(
            *(hits, misses, evictions, expirations, size, self._options["maxsize"]),
            *(weight, self._options["maxweight"], rejections),
            *(self._flights.loads, self._flights.failures),
        )

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<FastCacheManager {stats.size}/{stats.maxsize} entries, {self.implementation}>"

    def __reduce__(self) -> tuple[Any, ...]:
        core: Any = self
        return _restored, (self._options, core._dump())

    def _load(self, key: Any, loader: Any, ttl: Any, weight: Any, tags: Any) -> Any:
        """Bring a value that is missing; called by the implementation."""

        def run() -> Any:
            value = loader(key)
            self.set(key, value, ttl, weight=weight, tags=tags)
            return value

        return self._flights.load(key, functools.partial(self.peek, key, MISSING), run)

    async def _aload(self, key: Any, loader: Any, ttl: Any, weight: Any, tags: Any) -> Any:
        async def run() -> Any:
            value = loader(key)
            if isinstance(value, Awaitable):
                value = await value
            self.set(key, value, ttl, weight=weight, tags=tags)
            return value

        return await self._flights.aload(key, functools.partial(self.peek, key, MISSING), run)

    def _wrap(self, miss: Callable[..., Any], marker: object, prefix: Hashable) -> Any:
        """Return the implementation's ``Cached`` over this cache."""
        return type(self)._wrapper(self, miss, marker, prefix)

    def _on_trip(self) -> None:
        if not self._bridge.crossed:
            native: Any = self
            native._fall_back(TRIPPED)


def _no_init(self: object, *args: object, **options: object) -> None:
    """Do nothing: ``__new__`` has made all of it."""


@functools.cache
def _class_of(core: type, wrapper: type) -> type:
    """Return the class of the caches that ``core`` answers for."""
    made = {"__init__": _no_init, "__module__": __name__, "_wrapper": wrapper}
    return type("FastCacheManager", (core, FastCacheManager), made, made=True)


def _restored(options: dict[str, Any], entries: list[Any]) -> FastCacheManager[Any, Any]:
    """Return the cache that a pickle tells of."""
    cache: Any = FastCacheManager(**options)
    cache._adopt(entries)
    return cache  # type: ignore[no-any-return]
