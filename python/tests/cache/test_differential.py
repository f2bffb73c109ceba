"""The native cache against its twin: the same calls leave the same everything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcore.cache import FastCacheManager
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]

# Few keys, so that they meet; of all the kinds that compare differently inside.
keys = st.one_of(
    st.integers(-2, 12),
    st.sampled_from(["", "a", "b", "\u00fc", "\ud800", 1.0, 2.5, float("nan"), None, True, b"a"]),
    st.tuples(st.integers(0, 3), st.sampled_from("ab")),
    st.frozensets(st.integers(0, 2), max_size=2),
    st.lists(st.integers(), max_size=0),  # unhashable
)
values = st.integers(0, 99)
ttls = st.sampled_from([None, None, None, 1, 2.5, 0, -1, float("nan"), "x"])
calls = st.one_of(
    st.tuples(st.sampled_from(["get", "peek"]), st.tuples(keys, values)),
    st.tuples(
        st.sampled_from(["delete", "__getitem__", "__delitem__", "__contains__"]),
        st.tuples(keys),
    ),
    st.tuples(st.just("set"), st.tuples(keys, values, ttls)),
    st.tuples(st.just("__setitem__"), st.tuples(keys, values)),
    st.tuples(st.just("get_many"), st.tuples(st.lists(keys, max_size=6), values)),
    st.tuples(st.just("delete_many"), st.tuples(st.lists(keys, max_size=6))),
    st.tuples(st.just("set_many"), st.tuples(st.lists(st.tuples(keys, values), max_size=6), ttls)),
    st.tuples(st.just("tick"), st.tuples(st.sampled_from([0.5, 1, 3]))),
    st.tuples(st.sampled_from(["clear", "expire"]), st.just(())),
)


def outcome(cache: FastCacheManager[Any, Any], name: str, arguments: tuple[Any, ...]) -> Any:
    """Return what the call answered or raised, wording included."""
    try:
        return "answer", getattr(cache, name)(*arguments)
    except (TypeError, ValueError, KeyError) as error:
        return type(error), str(error)


@settings(max_examples=1500, deadline=None)
@given(
    maxsize=st.integers(1, 12),
    policy=st.sampled_from(["lru", "s3fifo"]),
    ttl=st.sampled_from([None, None, 3.0]),
    script=st.lists(calls, max_size=60),
)
def test_same_calls_same_everything(
    both: Both, maxsize: int, policy: Any, ttl: float | None, script: list[Any]
) -> None:
    now = [0.0]
    twin, native = (
        FastCacheManager[Any, Any](
            maxsize, policy=policy, ttl=ttl, clock=lambda: now[0], manager=manager
        )
        for manager in both
    )
    assert (twin.implementation, native.implementation) == ("python", "native")
    for name, arguments in script:
        if name == "tick":
            now[0] += arguments[0]
            continue
        expected = outcome(twin, name, arguments)
        assert repr(outcome(native, name, arguments)) == repr(expected), (name, arguments)
        assert repr(native.items()) == repr(twin.items())
        assert native.stats() == twin.stats()


@pytest.mark.parametrize("policy", ["lru", "s3fifo"])
def test_a_long_trace_leaves_the_same_order(both: Both, policy: Any) -> None:
    twin, native = (
        FastCacheManager[int, int](500, policy=policy, manager=manager) for manager in both
    )
    state = 12345
    for _ in range(60_000):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        key = (state >> 33) % 900 if state % 3 else (state >> 33) % 60
        for cache in (twin, native):
            if cache.get(key) is None:
                cache.set(key, key)
    assert native.items() == twin.items()
    assert native.stats() == twin.stats()
    assert native.stats().evictions > 10_000
