"""Weights, tags, and the time to idle, over both implementations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentcore.cache import FastCacheManager, Policy
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
Make = Callable[..., FastCacheManager[Any, Any]]


@pytest.fixture
def make(manager: RustIntegrationManager) -> Make:
    def made(*bounds: int, **options: Any) -> FastCacheManager[Any, Any]:
        return FastCacheManager(*bounds, manager=manager, **options)

    return made


def test_weights_bound_what_is_kept(make: Make) -> None:
    cache = make(policy="lru", maxweight=10, weigher=lambda key, value: len(value))
    cache.set_many([("a", "xxxx"), ("b", "xxxx"), ("c", "xx")])
    assert cache.stats()[4:9] == (3, 2**31 - 1, 10, 10, 0)
    cache["d"] = "xxx"
    assert cache.keys() == ["b", "c", "d"]
    cache.set("e", "", weight=0)
    cache.set("f", "x", weight=6)
    assert cache.keys() == ["d", "e", "f"]
    assert cache.stats().weight == 9


def test_what_is_too_heavy_is_not_kept(make: Make) -> None:
    cache = make(maxweight=10)
    cache.set("a", 1, weight=10)
    cache.set("b", 2, weight=11)
    assert cache.items() == [("a", 1)]
    cache.set("a", 3, weight=11)
    assert cache.items() == []
    assert cache.stats().rejections == 2
    assert cache.stats().evictions == 0


@pytest.mark.parametrize("policy", ["s3fifo", "lru", "lfu", "auto"])
def test_what_gets_heavier_stays_and_others_go(make: Make, policy: Policy) -> None:
    cache = make(policy=policy, maxweight=10)
    for key in "abcde":
        cache.set(key, key, weight=2)
    cache.set("a", "heavy", weight=6)
    assert cache.peek("a") == "heavy"
    assert cache.stats().weight == 10
    cache.set("a", "light", weight=1)
    assert cache.stats().weight == 5
    assert len(cache) == 3


@pytest.mark.parametrize("weight", [-1, 2**62, True, 1.5, "x"])
def test_bad_weights_change_nothing(make: Make, weight: Any) -> None:
    cache = make(maxweight=5, weigher=lambda key, value: weight)
    limits = f"an int from 0 to {2**62 - 1}, got "
    calls: list[tuple[Callable[[], None], str]] = [
        (lambda: cache.set("a", 1, weight=weight), "weight must be "),
        (lambda: cache.set("a", 1), "weigher must return "),
        (lambda: cache.set_many({"a": 1}), "weigher must return "),
    ]
    for call, words in calls:
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert str(caught.value).startswith(words + limits)
    assert len(cache) == 0
    with pytest.raises(ValueError, match=r"^weight needs a cache with a maxweight$"):
        make().set("a", 1, weight=1)


def test_a_weigher_may_call_the_cache(make: Make) -> None:
    def weigher(key: str, value: int) -> int:
        cache.get("other")
        cache.delete("other")
        return value

    cache = make(maxweight=10, weigher=weigher)
    cache.set("other", 1)
    cache.set("a", 2)
    assert cache.items() == [("a", 2)]


def test_tags_take_their_entries_along(make: Make) -> None:
    cache = make()
    cache.set("a", 1, tags=["x", "y", "x"])
    cache.set("b", 2, tags=("y",))
    cache.set_many({"c": 3, "d": 4}, tags=iter(["z"]))
    cache["e"] = 5
    assert cache.invalidate_tag("y") == 2
    assert cache.invalidate_tag("y") == 0
    assert sorted(cache) == ["c", "d", "e"]
    cache.set("c", 30)  # without a tag now
    assert cache.invalidate_tag("z") == 1
    assert cache.invalidate_tag("nobody's") == 0
    assert dict(cache.items()) == {"c": 30, "e": 5}


def test_tags_leave_with_what_is_evicted(make: Make) -> None:
    cache = make(2, policy="lru")
    for number in range(10):
        cache.set(number, number, tags=["all", str(number)])
    assert cache.invalidate_tag("0") == 0
    assert cache.invalidate_tag("all") == 2
    cache.set(1, 1, tags=["all"])
    cache.clear()
    assert cache.invalidate_tag("all") == 0


@pytest.mark.parametrize(
    ("tags", "error", "message"),
    [
        ("x", TypeError, "tags must be an iterable of str, got one str"),
        (["x", 1], TypeError, "tags[1] must be a str, got int"),
        (["\ud800"], ValueError, "tags[0] holds a lone surrogate"),
        (5, TypeError, "'int' object is not iterable"),
    ],
)
def test_bad_tags_change_nothing(
    make: Make, tags: Any, error: type[Exception], message: str
) -> None:
    cache = make()
    calls: list[Callable[[], None]] = [
        lambda: cache.set("a", 1, tags=tags),
        lambda: cache.set_many({"a": 1}, tags=tags),
    ]
    for call in calls:
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value) == message
    with pytest.raises(TypeError, match=r"^tag must be a str, got int$"):
        cache.invalidate_tag(1)  # type: ignore[arg-type]
    assert len(cache) == 0


def test_what_is_not_used_expires(make: Make) -> None:
    now = [0.0]
    cache = make(tti=10, ttl=25, clock=lambda: now[0])
    cache.set_many({"a": 1, "b": 2, "c": 3})
    now[0] = 9
    assert cache.get("a") == 1
    assert cache.peek("b") == 2  # no use
    now[0] = 10
    assert cache.keys() == ["a"]
    assert cache.expire() == 2
    now[0] = 18
    assert cache.get("a") == 1
    now[0] = 25
    assert cache.get("a") is None  # used, but its time to live is over
    assert cache.stats().expirations == 3


@pytest.mark.parametrize("policy", ["lfu", "auto"])
def test_lfu_keeps_the_used_through_a_scan(make: Make, policy: Policy) -> None:
    cache = make(100, policy=policy)
    for _ in range(5):
        for key in range(60):
            if cache.get(key) is None:
                cache.set(key, key)
    cache.set_many([(key, key) for key in range(1000, 3000)])
    assert sum(key in cache for key in range(60)) == 60


def test_auto_becomes_an_lru_where_that_serves_better(make: Make) -> None:
    """A hot set that moves on: what was frequent never comes back."""
    hits = {}
    for policy in ("lfu", "auto", "lru"):
        cache = make(100, policy=policy)
        state = 1
        for step in range(30_000):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            key = step // 20 + (state >> 33) % 130
            if cache.get(key) is None:
                cache.set(key, key)
        hits[policy] = cache.stats().hit_ratio
    assert hits["auto"] > hits["lru"] - 0.03
    assert hits["auto"] >= hits["lfu"]


def test_it_can_not_be_subclassed() -> None:
    with pytest.raises(TypeError, match="can't be subclassed"):
        type("Mine", (FastCacheManager,), {})
