"""FastCacheManager over both implementations: what a user can see is the same."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from agentcore.cache import CacheStats, FastCacheManager, Policy
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
Make = Callable[..., FastCacheManager[Any, Any]]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def make(manager: RustIntegrationManager) -> Make:
    def made(maxsize: int = 8, **options: Any) -> FastCacheManager[Any, Any]:
        return FastCacheManager(maxsize, manager=manager, **options)

    return made


def test_the_implementation_is_the_one_asked_for(
    make: Make, request: pytest.FixtureRequest
) -> None:
    wanted = request.node.callspec.params["manager"]
    assert make().implementation == wanted
    assert wanted in repr(make())


def test_lru_evicts_the_least_recently_used(make: Make) -> None:
    cache = make(3, policy="lru")
    cache.set_many({"a": 1, "b": 2, "c": 3})
    assert cache["a"] == 1
    cache.set("b", 20)
    cache["d"] = 4
    assert list(cache) == ["a", "b", "d"]
    assert cache.items() == [("a", 1), ("b", 20), ("d", 4)]
    assert cache.stats() == CacheStats(1, 0, 1, 0, 3, 3)


def test_looking_without_using_changes_nothing(make: Make) -> None:
    cache = make(2, policy="lru")
    cache.set_many([("a", 1), ("b", 2)])
    assert "a" in cache
    assert cache.peek("a") == 1
    assert cache.peek("z", "none") == "none"
    assert cache.items() == [("a", 1), ("b", 2)]
    cache.set("c", 3)
    assert cache.keys() == ["b", "c"]
    assert cache.stats()[:2] == (0, 0)


def test_s3fifo_keeps_the_used_through_a_scan(make: Make) -> None:
    cache = make(10)
    for key in range(10):
        cache.set(key, key)
    for _ in range(2):
        cache.get(4)
    cache.set_many([(key, key) for key in range(100, 200)])
    assert cache.get(4) == 4
    assert cache.get(5) is None
    assert len(cache) == 10


@pytest.mark.parametrize("policy", ["lru", "s3fifo", "lfu", "auto"])
def test_a_cache_of_one_holds_one(make: Make, policy: Policy) -> None:
    cache = make(1, policy=policy)
    for key in range(5):
        cache.set(key, key)
        assert cache.items() == [(key, key)]


def test_get_many_keeps_order_and_counts(make: Make) -> None:
    cache = make(4)
    cache.set_many([("a", 1), ("b", None)])
    assert cache.get_many(["b", "x", "a", "a"], 0) == [None, 0, 1, 1]
    assert cache.get_many(key for key in "ax") == [1, None]
    assert cache.get_many([]) == []
    assert cache.stats()[:2] == (4, 2)
    assert cache.stats().hit_ratio == pytest.approx(4 / 6)


def test_delete(make: Make) -> None:
    cache = make()
    cache.set_many(MappingProxyType({1: "a", 2: "b", 3: "c"}))
    assert cache.delete(1) is True
    assert cache.delete(1) is False
    assert cache.delete_many([1, 2, 9]) == 1
    del cache[3]
    with pytest.raises(KeyError) as caught:
        del cache[3]
    assert caught.value.args == (3,)
    assert len(cache) == 0


def test_a_missing_key_is_named(make: Make) -> None:
    with pytest.raises(KeyError) as caught:
        make()[("a", 1)]
    assert caught.value.args == (("a", 1),)


def test_clear_keeps_the_counts(make: Make) -> None:
    cache = make(2)
    cache.set("a", 1)
    cache.get("a")
    cache.clear()
    assert cache.items() == []
    assert cache.stats() == CacheStats(1, 0, 0, 0, 0, 2)


def test_time_to_live(make: Make) -> None:
    clock = Clock()
    cache = make(ttl=10, clock=clock)
    cache.set("a", 1)
    cache.set("b", 2, ttl=1)
    cache.set_many({"c": 3}, ttl=20)
    clock.now += 1
    assert cache.get("b") is None
    assert cache.items() == [("a", 1), ("c", 3)]
    clock.now += 9
    assert "a" not in cache
    assert len(cache) == 2  # nobody asked for "a" since it expired
    assert cache.delete("a") is False
    assert cache.expire() == 0
    clock.now += 10
    assert cache.expire() == 1
    assert cache.stats() == CacheStats(0, 1, 0, 3, 0, 8)


def test_an_entry_set_again_lives_anew(make: Make) -> None:
    clock = Clock()
    cache = make(clock=clock)
    cache.set("a", 1, ttl=5)
    clock.now += 4
    cache.set("a", 2)
    clock.now += 100
    assert cache["a"] == 2


def test_the_clock_is_not_read_when_nothing_can_expire(make: Make) -> None:
    def broken() -> float:
        raise AssertionError("read")

    cache = make(clock=broken)
    cache.set("a", 1)
    assert cache.get("a") == 1
    with pytest.raises(AssertionError, match="read"):
        cache.set("b", 1, ttl=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"maxsize": 0}, ValueError, "maxsize must be from 1 to 2147483647, got 0"),
        ({"maxsize": 2**31}, ValueError, "maxsize must be from 1 to 2147483647, got 2147483648"),
        ({"maxsize": 1.5}, TypeError, "maxsize must be an int, got float"),
        ({"maxsize": True}, TypeError, "maxsize must be an int, got bool"),
        (
            {"policy": "lifo"},
            ValueError,
            "policy must be 's3fifo', 'lru', 'lfu' or 'auto', got 'lifo'",
        ),
        ({"tti": -1}, ValueError, "tti must be a positive number of seconds or None, got -1"),
        ({"maxweight": 0}, ValueError, f"maxweight must be from 1 to {2**62 - 1}, got 0"),
        ({"maxweight": 1.0}, TypeError, "maxweight must be an int, got float"),
        ({"weigher": len}, ValueError, "weigher needs a cache with a maxweight"),
        ({"maxweight": 9, "weigher": 5}, TypeError, "weigher must be callable, got int"),
        ({"clock": 5}, TypeError, "clock must be callable, got int"),
        ({"ttl": 0}, ValueError, "ttl must be a positive number of seconds or None, got 0"),
        ({"ttl": "9"}, TypeError, "ttl must be a positive number of seconds or None, got '9'"),
    ],
)
def test_bad_options(make: Make, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        make(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize("ttl", [0, -1.0, float("nan"), float("inf"), "1", [], 10**400, 1j])
def test_bad_ttl_changes_nothing(make: Make, ttl: Any) -> None:
    cache = make()
    calls: list[Callable[[], None]] = [
        lambda: cache.set("a", 1, ttl),
        lambda: cache.set_many({"a": 1}, ttl=ttl),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        numeric = isinstance(ttl, int | float) and ttl != 10**400
        assert caught.type is (ValueError if numeric else TypeError)
        expected = f"ttl must be a positive number of seconds or None, got {ttl!r}"
        assert str(caught.value) == expected
    assert len(cache) == 0


@pytest.mark.parametrize("ttl", [1, 0.5, Decimal("1.5"), True])
def test_numbers_of_all_kinds_are_seconds(make: Make, ttl: Any) -> None:
    clock = Clock()
    cache = make(clock=clock)
    cache.set("a", 1, ttl)
    clock.now += float(ttl)
    assert cache.get("a") is None


def test_unhashable_keys_change_nothing(make: Make) -> None:
    cache = make()
    calls: list[Callable[[], Any]] = [
        lambda: cache.get([]),
        lambda: cache.set([], 1),
        lambda: cache.peek([]),
        lambda: cache.delete([]),
        lambda: [] in cache,
        lambda: cache[[]],
        lambda: cache.get_many(["a", []]),
        lambda: cache.set_many([("a", 1), ([], 2)]),
        lambda: cache.delete_many(["a", []]),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"^unhashable type: 'list'$"):
            call()
    assert cache.stats() == CacheStats(0, 0, 0, 0, 0, 8)


def test_bad_items_are_named(make: Make) -> None:
    cache = make()
    for items, kind in (([("a", 1), 5], "int"), ([("a", 1), ("b",)], "tuple"), (["a", "bc"], "")):
        at, kind = (0, "str") if not kind else (1, kind)
        with pytest.raises(TypeError) as caught:
            cache.set_many(items)  # type: ignore[arg-type]
        assert str(caught.value) == f"items[{at}] must be a (key, value) tuple, got {kind}"
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        cache.get_many(5)  # type: ignore[call-overload]
    assert len(cache) == 0


def test_equal_keys_of_different_types_are_one(make: Make) -> None:
    cache = make()
    cache.set(1, "int")
    cache.set(1.0, "float")
    cache.set(True, "bool")
    assert cache.items() == [(1, "bool")]
    assert type(cache.keys()[0]) is int  # the first key stays, as in a dict


class Colliding:
    """Same hash for all, equality by name."""

    def __init__(self, name: str, hook: Callable[[], Any] = lambda: None) -> None:
        self.name = name
        self.hook = hook

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        self.hook()
        return isinstance(other, Colliding) and self.name == other.name


def test_colliding_keys(make: Make) -> None:
    cache = make(policy="lru")
    for name in "abcab":
        cache.set(Colliding(name), name)
    assert [key.name for key in cache] == ["c", "a", "b"]
    assert cache.get(Colliding("c")) == "c"
    assert cache.get(7) is None
    assert cache.delete(Colliding("a")) is True
    assert cache.get_many([Colliding("b"), Colliding("x")]) == ["b", None]


def test_a_key_may_call_the_cache_while_it_is_compared(make: Make) -> None:
    cache = make(policy="lru")
    cache.set(Colliding("a", lambda: cache.get("plain")), 1)
    cache.set("plain", 2)
    assert cache.get(Colliding("b")) is None
    assert cache.get(Colliding("a")) == 1
    cache.set(Colliding("a"), 3)
    assert cache[Colliding("a")] == 3


def test_an_error_while_keys_are_compared_reaches_the_caller(make: Make) -> None:
    class BrokenError(Exception):
        pass

    def fail() -> None:
        raise BrokenError

    cache = make()
    cache.set(Colliding("a", fail), 1)
    with pytest.raises(BrokenError):
        cache.get(Colliding("a"))
    assert len(cache) == 1
    assert cache.implementation in ("native", "python")
    cache.set("still", "works")
    assert cache["still"] == "works"


def test_a_value_may_call_the_cache_while_it_dies(make: Make) -> None:
    cache = make(2, policy="lru")
    seen = []

    class Loud:
        def __del__(self) -> None:
            seen.append(len(cache))

    cache.set("a", Loud())
    cache.set("a", Loud())
    cache.set("b", 1)
    cache.set("c", 2)
    cache.set("d", Loud())
    cache.clear()
    assert len(seen) == 3


def test_cycles_through_the_cache_are_collected(make: Make) -> None:
    class Node:
        alive = 0

        def __init__(self) -> None:
            type(self).alive += 1

        def __del__(self) -> None:
            type(self).alive -= 1

    node = Node()
    cache = make()
    cache.set("self", (node, cache))
    del node, cache
    gc.collect()
    assert Node.alive == 0


def test_iterating_is_over_a_snapshot(make: Make) -> None:
    cache = make()
    cache.set_many({1: 1, 2: 2})
    keys: Iterator[int] = iter(cache)
    cache.clear()
    assert list(keys) == [1, 2]


def test_threads_share_a_cache(make: Make) -> None:
    cache = make(50)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for step in range(2000):
                key = (seed * step) % 97
                if cache.get(key, key) != key:
                    raise AssertionError(key)
                cache.set(key, key)
                if step % 50 == 0:
                    cache.delete(key)
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    stats = cache.stats()
    assert stats.size == len(cache.keys()) <= 50
    assert stats.hits + stats.misses == 8 * 2000
