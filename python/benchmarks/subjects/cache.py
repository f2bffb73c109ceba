"""FastCacheManager beside cachebox, dict and our own twin."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

from agentcore.cache import FastCacheManager
from benchmarks.harness import Bar, Case, Contender, Subject, installed, per_operation
from benchmarks.native import OURS_VERSION, native_manager, twin_manager

CACHEBOX = installed("cachebox")
SIZE = 1000
REPEAT = 50
KEYS = [f"user:{number:06d}" for number in range(SIZE)]
EQUAL_KEYS = ["".join(key) for key in KEYS]  # equal, not identical
NEW_KEYS = [[f"new:{batch}:{number}" for number in range(SIZE)] for batch in range(2)]


def _ours(**options: Any) -> FastCacheManager[str, int]:
    cache = FastCacheManager[str, int](SIZE, manager=native_manager(), **options)
    _fill(cache)
    return cache


def _twin(**options: Any) -> FastCacheManager[str, int]:
    cache = FastCacheManager[str, int](SIZE, manager=twin_manager(), **options)
    _fill(cache)
    return cache


def _fill(cache: Any) -> None:
    for number, key in enumerate(KEYS):
        cache[key] = number


def _cachebox(kind: str = "LRUCache", *arguments: Any) -> Any:
    import cachebox

    cache = getattr(cachebox, kind)(SIZE, *arguments)
    _fill(cache)
    return cache


def _loop_get(cache: Any, keys: list[str]) -> Callable[[], float]:
    get = cache.get

    def work() -> None:
        for key in keys:
            get(key)

    return lambda: per_operation(work, SIZE, REPEAT)


def _loop_item(cache: Any, keys: list[str]) -> Callable[[], float]:
    def work() -> None:
        for key in keys:
            cache[key]

    return lambda: per_operation(work, SIZE, REPEAT)


def _get_many(cache: FastCacheManager[str, int]) -> Callable[[], float]:
    return lambda: per_operation(lambda: cache.get_many(KEYS), SIZE, REPEAT)


def _set_many(cache: FastCacheManager[str, int]) -> Callable[[], float]:
    items = list(zip(KEYS, range(SIZE), strict=True))
    return lambda: per_operation(lambda: cache.set_many(items), SIZE, REPEAT)


def _loop_set(cache: Any) -> Callable[[], float]:
    items = list(zip(KEYS, range(SIZE), strict=True))

    def work() -> None:
        for key, value in items:
            cache[key] = value

    return lambda: per_operation(work, SIZE, REPEAT)


def _comprehend(cache: dict[str, int]) -> Callable[[], float]:
    return lambda: per_operation(lambda: [cache[key] for key in KEYS], SIZE, REPEAT)


def _replace_all(cache: Any, *, batch: bool) -> Callable[[], float]:
    """Turn by turn two sets of keys that are not in, so every one evicts another."""
    batches = [[(key, 0) for key in keys] for keys in NEW_KEYS]

    def many() -> None:
        for items in batches:
            cache.set_many(items)

    def one_by_one() -> None:
        for items in batches:
            for key, value in items:
                cache[key] = value

    work = many if batch else one_by_one
    return lambda: per_operation(work, 2 * SIZE, REPEAT // 2)


def _case(
    name: str, bar: Bar | None, ours: Callable[[], float], peers: Sequence[Contender]
) -> Case:
    return Case(name, "ns/op", "lower", Contender("agentcore", OURS_VERSION, ours), peers, bar)


def _peers(
    boxed: Callable[[], float] | None, plain: Callable[[], float] | None, twin: Callable[[], float]
) -> list[Contender]:
    peers = []
    if boxed is not None:
        peers.append(Contender("cachebox", CACHEBOX, boxed))
    if plain is not None:
        peers.append(Contender("dict", platform.python_version(), plain))
    return [*peers, Contender("python twin", OURS_VERSION, twin)]


def cases() -> list[Case]:
    """Make the cases; caches are filled here, outside of every clock."""
    # dict(zip()) keeps the keys' identity: a hit by the identical object.
    plain = dict(zip(KEYS, range(SIZE), strict=True))

    def boxed(loop: Callable[..., Callable[[], float]], *more: Any) -> Callable[[], float] | None:
        return loop(_cachebox(), *more) if CACHEBOX else None

    hits = [
        _case(
            f"{call} hit, {label}, {policy}",
            Bar("cachebox", must, aim),
            loop(_ours(policy=policy), keys),
            _peers(boxed(loop, keys), loop(plain, keys), loop(_twin(policy=policy), keys)),
        )
        for label, keys, must, aim in (
            ("identical key", KEYS, 0.9, 1.05),
            ("equal key", EQUAL_KEYS, 0.8, 1.0),
        )
        for call, loop in (("cache.get(key)", _loop_get), ("cache[key]", _loop_item))
        for policy in ("s3fifo", "lru")
    ]
    ttl = _loop_get(_cachebox("TTLCache", 3600), KEYS) if CACHEBOX else None
    return [
        *hits,
        _case(
            "get_many of 1000",
            Bar("dict", 1.2, 1.5),
            _get_many(_ours()),
            _peers(boxed(_loop_item, KEYS), _comprehend(plain), _get_many(_twin())),
        ),
        _case(
            "set_many of 1000 known keys",
            Bar("dict", 1.25, 1.5),
            _set_many(_ours()),
            _peers(boxed(_loop_set), _loop_set(dict(plain)), _set_many(_twin())),
        ),
        *(
            _case(
                f"1000 new keys into a full cache, batch, {policy}",
                Bar("cachebox", 1.3, 2.0),
                _replace_all(_ours(policy=policy), batch=True),
                _peers(
                    _replace_all(_cachebox(), batch=False) if CACHEBOX else None,
                    None,
                    _replace_all(_twin(policy=policy), batch=True),
                ),
            )
            for policy in ("s3fifo", "lru")
        ),
        _case(
            "cache.get(key) hit, with a time to live",
            Bar("cachebox", 1.3, 1.5),
            _loop_get(_ours(ttl=3600), KEYS),
            _peers(ttl, None, _loop_get(_twin(ttl=3600), KEYS)),
        ),
    ]


SUBJECT = Subject("cache", cases, () if CACHEBOX else ("cachebox",))
