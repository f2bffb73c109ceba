"""``@cached``: a function whose results are kept, single-flight for threads and for tasks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar, overload

from agentcore.cache.facade import FastCacheManager
from agentcore.cache.flight import MISSING

__all__ = ["cached"]

F = TypeVar("F", bound=Callable[..., Any])

_MARKER = object()  # between positional and named arguments in a key


@overload
def cached(function: F, /) -> F: ...
@overload
def cached(
    *,
    cache: FastCacheManager[Any, Any] | None = None,
    ttl: float | None = None,
    tags: Iterable[str] | None = None,
    **options: Any,
) -> Callable[[F], F]: ...
def cached(
    function: Any = None,
    /,
    *,
    cache: FastCacheManager[Any, Any] | None = None,
    ttl: float | None = None,
    tags: Iterable[str] | None = None,
    **options: Any,
) -> Any:
    """Keep the results of a function by its arguments, which must be hashable.

    Of calls with equal arguments at a time one runs the function; the others wait for
    it, see :mod:`agentcore.cache.flight`. A coroutine function is awaited. What raises is not
    kept. Arguments given by name make another key than the same by position, and so does
    another order of names, as with ``functools.lru_cache``.

    The decorated function has ``cache`` (which is the cache), ``cache_info()`` (its
    :class:`CacheStats`), ``cache_clear()``, ``key(...)`` (the key of a call), and
    ``invalidate(...)`` (forgets the result of a call).

    Args:
        function: what to decorate.
        cache: where to keep the results; several functions may share one. A cache of
            the function's own if not given.
        ttl: seconds that a result is kept; as the cache says if not given.
        tags: the tags of each result.
        **options: those of :class:`FastCacheManager`, for a cache of its own.

    Raises:
        TypeError: what is decorated can't be called, or there are options beside a cache.
    """
    if cache is not None and options:
        raise TypeError(f"a cache that is given takes no options, got {', '.join(options)}")
    if function is None:
        return functools.partial(_decorate, cache, ttl, tags, options)
    return _decorate(cache, ttl, tags, options, function)


def _decorate(
    cache: FastCacheManager[Any, Any] | None,
    ttl: float | None,
    tags: Iterable[str] | None,
    options: dict[str, Any],
    function: Any,
) -> Any:
    if not callable(function):
        raise TypeError(f"cached needs something to call, got {type(function).__name__}")
    prefix: Hashable = None
    if cache is None:
        cache = FastCacheManager(**options)
    else:
        prefix = f"{function.__module__}.{function.__qualname__}"
    tags = None if tags is None else tuple(tags)
    kept: FastCacheManager[Any, Any] = cache

    def miss(key: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
        return kept._load(key, lambda _: function(*args, **(kwargs or {})), ttl, None, tags)

    wrapper = kept._wrap(miss, _MARKER, prefix)
    key = wrapper.key
    if inspect.iscoroutinefunction(function):
        wrapper = _coroutine(kept, function, key, ttl, tags)
    functools.update_wrapper(wrapper, function)
    wrapper.cache = kept
    wrapper.cache_info = kept.stats
    wrapper.cache_clear = kept.clear
    wrapper.key = key
    wrapper.invalidate = lambda *args, **kwargs: kept.delete(key(*args, **kwargs))
    return wrapper


def _coroutine(
    cache: FastCacheManager[Any, Any],
    function: Callable[..., Any],
    key_of: Callable[..., Any],
    ttl: float | None,
    tags: tuple[str, ...] | None,
) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        key = key_of(*args, **kwargs)
        value = cache.get(key, MISSING)
        if value is not MISSING:
            return value
        return await cache._aload(key, lambda _: function(*args, **kwargs), ttl, None, tags)

    return wrapper
