"""The native cache against its twin: the same calls leave the same everything."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentcore.cache import FastCacheManager, Policy
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
POLICIES: list[Policy] = ["s3fifo", "lru", "lfu", "auto"]
Both = tuple[RustIntegrationManager, RustIntegrationManager]
Caches = tuple[FastCacheManager[Any, Any], FastCacheManager[Any, Any]]

# Few keys, so that they meet; of all the kinds that compare differently inside.
keys = st.one_of(
    st.integers(-2, 12),
    st.sampled_from(["", "a", "b", "\u00fc", "\ud800", 1.0, 2.5, float("nan"), None, True, b"a"]),
    st.tuples(st.integers(0, 3), st.sampled_from("ab")),
    st.tuples(st.tuples(st.integers(0, 1))),
    st.frozensets(st.integers(0, 2), max_size=2),
    st.lists(st.integers(), max_size=0),  # unhashable
)
values = st.integers(0, 99)
times = st.sampled_from([None, None, None, 1, 2.5, 0, -1, float("nan"), "x"])
weights = st.sampled_from([None, None, 0, 1, 2, 5, 30, -1, True, "w", 2**63])
tags = st.one_of(
    st.none(),
    st.lists(st.sampled_from(["x", "y", "z"]), max_size=3),
    st.sampled_from(["x", ["\ud800"], [1], 5]),
)
more = st.fixed_dictionaries({}, optional={"weight": weights, "tags": tags, "ttl": times})
batch = st.fixed_dictionaries({}, optional={"tags": tags, "ttl": times})
pairs = st.lists(st.one_of(st.tuples(keys, values), st.tuples(keys)), max_size=6)


def call(name: str, *arguments: Any, options: Any = None) -> Any:
    """A strategy of calls: name, positional and named arguments."""
    return st.tuples(
        st.just(name), st.tuples(*arguments), st.just({}) if options is None else options
    )


calls = st.one_of(
    call("get", keys, values),
    call("peek", keys, values),
    *(call(name, keys) for name in ("delete", "__getitem__", "__delitem__", "__contains__")),
    call("set", keys, values, options=more),
    call("set", keys, values, options=more),
    call("__setitem__", keys, values),
    call("get_or_load", keys, st.just(repr), options=more),
    call("get_many", st.lists(keys, max_size=6), values),
    call("delete_many", st.lists(keys, max_size=6)),
    call("set_many", pairs, options=batch),
    call("set_many", st.dictionaries(st.integers(0, 9), values, max_size=5), options=batch),
    call("invalidate_tag", st.sampled_from(["x", "y", "\ud800", 7])),
    call("tick", st.sampled_from([0.5, 1, 3])),
    call("clear"),
    call("expire"),
)
options = st.fixed_dictionaries(
    {"policy": st.sampled_from(POLICIES)},
    optional={
        "maxsize": st.integers(1, 12),
        "ttl": st.just(3.0),
        "tti": st.just(1.5),
        "maxweight": st.integers(1, 40),
        "weigher": st.just(lambda key, value: value if isinstance(value, int) else 1),
    },
)


def pair_of(both: Both, options: dict[str, Any], now: list[float]) -> Caches:
    twin, native = (
        FastCacheManager[Any, Any](clock=lambda: now[0], manager=manager, **options)
        for manager in both
    )
    assert (twin.implementation, native.implementation) == ("python", "native")
    return twin, native


def outcome(cache: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return what the call answered or raised, wording included."""
    try:
        return "answer", getattr(cache, name)(*arguments, **options)
    except (TypeError, ValueError, KeyError) as error:
        return type(error), str(error)


def same(twin: Any, native: Any) -> None:
    assert repr(native._dump()) == repr(twin._dump())
    assert native.stats() == twin.stats()


@settings(max_examples=1000, deadline=None)
@given(options=options, script=st.lists(calls, max_size=60))
@example(  # an entry that gets heavier pushes others out and goes to the end
    options={"policy": "lru", "maxweight": 5},
    script=[
        ("set", ("a", 1), {"weight": 2}),
        ("set", ("b", 1), {"weight": 2}),
        ("set", ("a", 2), {"weight": 5}),
    ],
)
def test_same_calls_same_everything(both: Both, options: Any, script: list[Any]) -> None:
    if "maxweight" not in options:
        options = {name: option for name, option in options.items() if name != "weigher"}
    now = [0.0]
    twin, native = pair_of(both, options, now)
    for name, arguments, named in script:
        if name == "tick":
            now[0] += arguments[0]
            continue
        expected = outcome(twin, name, arguments, named)
        assert repr(outcome(native, name, arguments, named)) == repr(expected), (name, arguments)
        same(twin, native)


def trace(length: int) -> list[int]:
    """Keys of which few are asked for often, with scans and a change of fashion between."""
    state, found = 12345, []
    for step in range(length):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        spread = state >> 33
        kind = state % 5
        hot = spread % (1 + spread % 60) + 1000 * (step // (length // 4))
        found.append(hot if kind < 3 else spread % 900 if kind == 3 else 10_000 + step)
    return found


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_long_trace_leaves_the_same_order(both: Both, policy: Policy, weighted: bool) -> None:
    bound: Any = {"maxweight": 900, "maxsize": 300} if weighted else {"maxsize": 200}
    twin, native = pair_of(both, {"policy": policy, **bound}, [0.0])
    for key in trace(30_000):
        for cache in (twin, native):
            if cache.get(key) is None:
                if weighted:
                    cache.set(key, key, weight=key % 9)
                else:
                    cache.set(key, key)
    same(twin, native)
    assert native.stats().evictions > 5_000


@pytest.mark.parametrize("policy", POLICIES)
def test_no_decision_depends_on_what_the_hashes_are(both: Both, policy: Policy) -> None:
    """Strings hash differently in every process: their caches must not."""
    numbers, texts = (
        FastCacheManager[Any, Any](100, policy=policy, manager=both[1]) for _ in range(2)
    )
    for key in trace(10_000):
        for cache, named in ((numbers, key), (texts, f"key {key}")):
            if cache.get(named) is None:
                cache.set(named, key)
    assert [value for _, value in numbers.items()] == [value for _, value in texts.items()]
    assert numbers.stats() == texts.stats()


def weigh(key: str, value: int) -> int:
    return value


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("native_first", [False, True])
def test_pickles_cross(
    both: Both, monkeypatch: pytest.MonkeyPatch, policy: Policy, native_first: bool
) -> None:
    first, second = both if not native_first else both[::-1]
    options: dict[str, Any] = {"policy": policy, "maxweight": 60, "weigher": weigh}
    cache: Any = FastCacheManager[str, int](20, ttl=1e6, tti=1e5, manager=first, **options)
    cache.set_many({f"k{number}": number % 7 for number in range(40)}, tags=["all"])
    cache.set("own", 3, ttl=5e5, weight=2, tags=["x", "all"])
    for _ in range(3):
        cache.get("own")
    monkeypatch.setattr("agentcore.cache.facade.default_manager", lambda: second)
    copy = pickle.loads(pickle.dumps(cache))  # noqa: S301 - our own
    assert copy.implementation != cache.implementation
    assert copy.items() == cache.items()
    for ours, theirs in zip(copy._dump(), cache._dump(), strict=True):
        assert ours[:4] + ours[6:] == theirs[:4] + theirs[6:]
        assert ours[4:6] == pytest.approx(theirs[4:6], abs=1000)
    assert copy.stats().weight == cache.stats().weight
    assert copy.invalidate_tag("all") == len(cache)
