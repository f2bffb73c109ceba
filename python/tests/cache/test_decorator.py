"""``@cached`` over both implementations."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from agentcore.cache import FastCacheManager, cached
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
PATIENCE = 30.0


@pytest.fixture
def calls() -> list[Any]:
    return []


def test_a_function_runs_once_for_equal_arguments(
    manager: RustIntegrationManager, calls: list[Any]
) -> None:
    @cached(manager=manager, maxsize=10)
    def add(*args: int, **kwargs: int) -> int:
        """Sums up."""
        calls.append((args, kwargs))
        return sum(args) + sum(kwargs.values())

    for _ in range(3):
        assert [add(1), add(1, 2), add(1, b=2), add(), add(b=1, c=2), add(c=2, b=1)] == [
            *(1, 3, 3, 0, 3, 3),
        ]
    assert len(calls) == 6
    assert (add.__name__, add.__doc__) == ("add", "Sums up.")
    wrapper: Any = add
    assert wrapper.__wrapped__ is not add
    assert wrapper.cache_info()[:2] == (12, 6)
    assert wrapper.key(1) == 1
    assert wrapper.key("a") == "a"
    assert wrapper.key(1.5) == (1.5,)
    assert wrapper.key(1, "x") == (1, "x")
    assert wrapper.key(("a",)) == (("a",),)
    named = wrapper.key(1, b=2)
    assert named[:1] + named[2:] == (1, "b", 2)
    assert wrapper.cache.implementation == manager.component_status(COMPONENT).implementation
    assert wrapper.invalidate(1, b=2) is True
    add(1, b=2)
    assert len(calls) == 7
    wrapper.cache_clear()
    add(1)
    assert len(calls) == 8


def test_it_decorates_without_parentheses() -> None:
    @cached
    def double(number: int) -> int:
        return number * 2

    assert (double(2), double(2)) == (4, 4)
    assert double.cache_info().hits == 1  # type: ignore[attr-defined]


def test_methods(manager: RustIntegrationManager, calls: list[Any]) -> None:
    class Model:
        @cached(manager=manager)
        def predict(self, number: int) -> int:
            calls.append(number)
            return number + 1

    one, two = Model(), Model()
    assert [one.predict(1), one.predict(1), two.predict(1)] == [2, 2, 2]
    assert calls == [1, 1]
    assert Model.predict.__name__ == "predict"


def test_functions_may_share_a_cache(manager: RustIntegrationManager) -> None:
    cache = FastCacheManager[Any, Any](manager=manager)

    @cached(cache=cache, tags=["texts"])
    def upper(text: str) -> str:
        return text.upper()

    @cached(cache=cache, ttl=1e9)
    def lower(text: str) -> str:
        return text.lower()

    assert (upper("Ab"), lower("Ab"), upper("Ab")) == ("AB", "ab", "AB")
    assert len(cache) == 2
    assert cache.invalidate_tag("texts") == 1
    with pytest.raises(TypeError, match="takes no options, got maxsize"):
        cached(cache=cache, maxsize=5)
    with pytest.raises(TypeError, match="needs something to call, got int"):
        cached(5)  # type: ignore[call-overload]


def test_what_raises_is_not_kept(manager: RustIntegrationManager, calls: list[Any]) -> None:
    @cached(manager=manager)
    def fail(number: int) -> int:
        calls.append(number)
        raise ValueError(number)

    for _ in range(2):
        with pytest.raises(ValueError, match="5"):
            fail(5)
    assert calls == [5, 5]
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        fail([])  # type: ignore[arg-type]


def test_none_is_a_result(manager: RustIntegrationManager, calls: list[Any]) -> None:
    @cached(manager=manager)
    def nothing(number: int) -> None:
        calls.append(number)

    nothing(1)
    nothing(1)
    assert calls == [1]


def test_threads_share_one_call(manager: RustIntegrationManager, calls: list[Any]) -> None:
    started, go = threading.Event(), threading.Event()

    @cached(manager=manager)
    def slow(number: int) -> int:
        calls.append(number)
        started.set()
        assert go.wait(PATIENCE)
        return number

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(slow(7))) for _ in range(32)]
    for thread in threads:
        thread.start()
    assert started.wait(PATIENCE)
    go.set()
    for thread in threads:
        thread.join()
    assert results == [7] * 32
    assert calls == [7]


def test_coroutine_functions(manager: RustIntegrationManager, calls: list[Any]) -> None:
    @cached(manager=manager)
    async def fetch(url: str, *, times: int = 1) -> str:
        calls.append(url)
        await asyncio.sleep(0)
        return url * times

    async def main() -> list[str]:
        async with asyncio.timeout(PATIENCE):
            first = await asyncio.gather(*(fetch("a") for _ in range(32)))
            return [*first, await fetch("a"), await fetch("a", times=2)]

    assert asyncio.run(main()) == ["a"] * 33 + ["aa"]
    assert calls == ["a", "a"]
    assert fetch.cache_info().size == 2  # type: ignore[attr-defined]
    assert asyncio.iscoroutinefunction(fetch)


def test_a_decorated_function_is_collected(manager: RustIntegrationManager) -> None:
    class Held:
        pass

    def make() -> tuple[Callable[..., Any], weakref.ref[Held]]:
        held = Held()

        @cached(manager=manager)
        def function(number: int) -> Any:
            return held, function, number

        function(1)
        return function, weakref.ref(held)

    function, held = make()
    del function
    gc.collect()
    assert held() is None
