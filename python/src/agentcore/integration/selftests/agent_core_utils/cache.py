"""What the caches of ``agent_core_utils`` must answer: values, order, times and counts."""

from __future__ import annotations

from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]


def _lru(ns: Any) -> object:
    cache = ns.Cache(3, "lru")
    cache.set_many([("a", 1), ("b", 2), ("c", 3)])
    cache.get("a")
    cache["d"] = 4
    return cache.keys(), cache.get_many(["a", "b"], "gone"), cache._counts()


def _s3fifo(ns: Any) -> object:
    cache = ns.Cache(10, "s3fifo")
    for key in range(10):
        cache.set(key, str(key))
    for _ in range(2):
        cache.get(4)
    cache.set_many([(key, "scan") for key in range(100, 112)])
    cache.set(100, "a ghost returns")
    return cache.items(), cache.delete(4), len(cache)


def _ttl(ns: Any) -> object:
    now = [100.0]
    cache = ns.Cache(4, "lru", 10.0, lambda: now[0])
    cache.set("a", 1)
    cache.set("b", 2, ttl=1.0)
    now[0] = 101.0
    seen = "b" in cache, cache.get("b"), cache.get("a")
    now[0] = 110.0
    return seen, cache.expire(), cache._counts()


def _keys(ns: Any) -> object:
    cache = ns.Cache(8, "lru")
    cache.set_many({1: "int", (1, "x"): "tuple", None: "none", "": "empty"})
    return cache.get(1.0), cache.get((1, "x")), cache.get(None), cache.peek("", 0), cache.peek(2)


def _missing(ns: Any) -> object:
    try:
        return ns.Cache(1, "lru")["gone"]
    except KeyError as error:
        return error.args


def _lfu(ns: Any) -> object:
    cache = ns.Cache(5, "auto")
    for step in range(60):
        key = step % 4 if step % 3 else step
        if cache.get(key) is None:
            cache[key] = step
    return cache.items(), cache._counts()


def _bounds(ns: Any) -> object:
    cache = ns.Cache(9, "lru", maxweight=10, weigher=lambda _key, value: len(value))
    cache.set_many({"a": "xxxx", "b": "xxxx"}, tags=["t"])
    cache.set("a", "xxxxxxx", tags=["t", "u"])
    cache.set("c", "", weight=11)
    cache.set("d", "x")
    return cache._dump(), cache.invalidate_tag("t"), cache._counts()


def _idle(ns: Any) -> object:
    now = [0.0]
    cache = ns.Cache(4, "s3fifo", None, lambda: now[0], tti=2.0)
    cache.set_many([("a", 1), ("b", 2)])
    now[0] = 1.0
    seen = cache.get("a")
    now[0] = 2.0
    return seen, cache.keys(), cache._dump()


VECTORS: tuple[Vector, ...] = (
    Vector("lru order", _lru, (["c", "a", "d"], [1, "gone"], (2, 1, 1, 0, 0, 3, 0))),
    Vector(
        "s3fifo order",
        _s3fifo,
        (
            [
                *((key, "scan") for key in (104, 105, 106, 107, 108, 109, 110, 111)),
                (4, "4"),
                (100, "a ghost returns"),
            ],
            True,
            9,
        ),
    ),
    Vector("time to live", _ttl, ((False, None, 1), 1, (1, 1, 0, 2, 0, 0, 0))),
    Vector("keys of any type", _keys, ("int", "tuple", "none", "empty", None)),
    Vector("missing key", _missing, ("gone",)),
    Vector(
        "lfu that adapts",
        _lfu,
        ([(57, 57), (1, 1), (0, 0), (2, 2), (3, 3)], (38, 22, 17, 0, 0, 5, 0)),
    ),
    Vector(
        "weights and tags",
        _bounds,
        (
            [
                ("a", "xxxxxxx", 0, 0, None, None, 7, ("t", "u")),
                ("d", "x", 0, 0, None, None, 1, ()),
            ],
            1,
            (0, 0, 1, 0, 1, 1, 1),
        ),
    ),
    Vector("time to idle", _idle, (1, ["a"], [("a", 1, 0, 1, None, 1.0, 0, ())])),
)
