"""Loads run once, for threads and for tasks; what raises is told and not kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agentcore.cache import FastCacheManager
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
Make = Callable[..., FastCacheManager[Any, Any]]
CALLERS = 32
PATIENCE = 30.0  # seconds; only a failing test uses them up


@pytest.fixture
def make(manager: RustIntegrationManager) -> Make:
    def made(**options: Any) -> FastCacheManager[Any, Any]:
        return FastCacheManager(manager=manager, **options)

    return made


class Gate:
    """A loader that waits until all callers but the first are waiting for it."""

    def __init__(self, cache: FastCacheManager[Any, Any], outcome: Any) -> None:
        self.cache, self.outcome = cache, outcome
        self.calls = 0
        self.asked = threading.Event()
        self.go = threading.Event()

    def __call__(self, _key: Any) -> Any:
        self.calls += 1
        self.asked.set()
        assert self.go.wait(PATIENCE)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def release_when(self, waiting: int) -> None:
        """Open once so many wait for the load."""
        assert self.asked.wait(PATIENCE)
        deadline = threading.Event()
        for _ in range(int(PATIENCE / 0.005)):
            if len(self.cache._flights._waiting) >= waiting:
                break
            deadline.wait(0.005)
        self.go.set()


def in_threads(work: Callable[[int], Any], count: int = CALLERS) -> list[Any]:
    """Run ``work`` in so many threads at a time; return the results or exceptions."""

    def tell(number: int) -> Any:
        try:
            return work(number)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(tell, range(count), timeout=PATIENCE))


def test_threads_share_one_load(make: Make) -> None:
    cache = make()
    gate = Gate(cache, "value")
    opener = threading.Thread(target=gate.release_when, args=(CALLERS - 1,))
    opener.start()
    assert in_threads(lambda _: cache.get_or_load("key", gate)) == ["value"] * CALLERS
    opener.join()
    assert gate.calls == 1
    stats = cache.stats()
    assert (stats.loads, stats.load_failures, stats.misses) == (1, 0, CALLERS)
    assert cache.get_or_load("key", gate) == "value"
    assert gate.calls == 1


def test_an_exception_reaches_all_threads_and_is_not_kept(make: Make) -> None:
    cache = make()
    gate = Gate(cache, ValueError("no"))
    opener = threading.Thread(target=gate.release_when, args=(CALLERS - 1,))
    opener.start()
    errors = in_threads(lambda _: cache.get_or_load("key", gate))
    opener.join()
    assert gate.calls == 1
    assert all(error is gate.outcome for error in errors)
    assert "key" not in cache
    assert cache.get_or_load("key", lambda key: key * 2) == "keykey"
    assert cache.stats().load_failures == 1


def test_an_interrupt_is_for_who_runs_the_loader(make: Make) -> None:
    cache = make()
    gate = Gate(cache, KeyboardInterrupt())
    results: list[Any] = []

    def first() -> None:
        try:
            cache.get_or_load("key", gate)
        except KeyboardInterrupt:
            results.append("interrupted")

    thread = threading.Thread(target=first)
    thread.start()
    assert gate.asked.wait(PATIENCE)
    opener = threading.Thread(target=gate.release_when, args=(1,))
    opener.start()
    with pytest.raises(RuntimeError, match="'key' was interrupted by KeyboardInterrupt"):
        cache.get_or_load("key", gate)
    thread.join()
    opener.join()
    assert results == ["interrupted"]


def test_a_loader_may_use_the_cache(make: Make) -> None:
    cache = make()

    def fibonacci(number: int) -> int:
        if number < 2:
            return number
        cache.set("seen", number)
        return sum(cache.get_or_load(number - back, fibonacci) for back in (1, 2))

    assert cache.get_or_load(30, fibonacci) == 832040
    assert cache.stats().loads == 31


def test_a_loader_that_asks_for_its_own_key_is_told(make: Make) -> None:
    cache = make()
    with pytest.raises(RuntimeError, match="the loader of 'a' asks for 'a' itself"):
        cache.get_or_load("a", lambda key: cache.get_or_load(key, str))
    assert cache.get_or_load("a", str) == "a"


def test_loads_that_wait_for_each_other_do_not_deadlock(make: Make) -> None:
    cache = make()
    both_run = threading.Barrier(2, timeout=PATIENCE)

    def ask_other(key: str) -> Any:
        both_run.wait()
        other = "b" if key == "a" else "a"
        return key + cache.get_or_load(other, lambda k: k.upper())

    results = in_threads(lambda number: cache.get_or_load("ab"[number], ask_other), 2)
    # One waits for the other; the other runs the inner loader unshared.
    assert sorted(results) in (["aB", "baB"], ["abA", "bA"])


def test_a_wait_has_an_end(make: Make) -> None:
    cache = make(load_timeout=0.05)
    gate = Gate(cache, 1)
    thread = threading.Thread(target=lambda: cache.get_or_load("key", gate))
    thread.start()
    assert gate.asked.wait(PATIENCE)
    with pytest.raises(TimeoutError, match=r"another load of 'key' took more than 0\.05 s"):
        cache.get_or_load("key", gate)
    gate.go.set()
    thread.join()
    assert cache["key"] == 1


def test_terms_reach_the_entry(make: Make) -> None:
    now = [0.0]
    cache = make(clock=lambda: now[0], maxweight=9)
    cache.get_or_load("a", str, 5, weight=4, tags=["x"])
    assert cache.stats().weight == 4
    assert cache.invalidate_tag("x") == 1
    cache.get_or_load("a", str, ttl=5)
    now[0] = 5
    assert "a" not in cache


def test_tasks_share_one_load(make: Make) -> None:
    cache = make()
    calls = []

    async def loader(key: str) -> str:
        calls.append(key)
        while len(cache._flights._waiting) < CALLERS:
            await asyncio.sleep(0)
        return key * 2

    async def main() -> list[str]:
        async with asyncio.timeout(PATIENCE):
            asks = [cache.aget_or_load("ab", loader) for _ in range(CALLERS)]
            return await asyncio.gather(*asks)

    assert asyncio.run(main()) == ["abab"] * CALLERS
    assert calls == ["ab"]
    assert cache["ab"] == "abab"
    assert not cache._flights._waiting


def test_an_exception_reaches_all_tasks(make: Make) -> None:
    cache = make()
    calls = []

    async def loader(key: str) -> str:
        calls.append(key)
        while len(cache._flights._waiting) < CALLERS:
            await asyncio.sleep(0)
        raise ValueError("no")

    async def main() -> list[Any]:
        async with asyncio.timeout(PATIENCE):
            asks = [cache.aget_or_load("a", loader) for _ in range(CALLERS)]
            return await asyncio.gather(*asks, return_exceptions=True)

    errors = asyncio.run(main())
    assert len(calls) == 1
    assert {str(error) for error in errors} == {"no"}
    assert len(cache) == 0


@pytest.mark.parametrize("which", [0, 1])
def test_a_cancelled_caller_harms_nobody(make: Make, which: int) -> None:
    """Neither the first, in whose name the loader runs, nor one that waits."""
    cache = make()

    async def main() -> None:
        go = asyncio.Event()

        async def loader(key: str) -> str:
            await go.wait()
            return key

        async with asyncio.timeout(PATIENCE):
            asks = [asyncio.create_task(cache.aget_or_load("a", loader)) for _ in range(3)]
            while len(cache._flights._waiting) < 3:
                await asyncio.sleep(0)
            asks[which].cancel()
            with pytest.raises(asyncio.CancelledError):
                await asks[which]
            go.set()
            del asks[which]
            assert await asyncio.gather(*asks) == ["a", "a"]

    asyncio.run(main())
    assert cache["a"] == "a"
    assert cache.stats().loads == 1


def test_a_plain_loader_serves_tasks_too(make: Make) -> None:
    assert asyncio.run(make().aget_or_load("a", str.upper)) == "A"


def test_threads_and_tasks_share_one_load(make: Make) -> None:
    cache = make()
    gate = Gate(cache, "from a thread")
    thread = threading.Thread(target=lambda: cache.get_or_load("a", gate))
    thread.start()
    assert gate.asked.wait(PATIENCE)
    opener = threading.Thread(target=gate.release_when, args=(1,))
    opener.start()
    assert asyncio.run(cache.aget_or_load("a", str)) == "from a thread"
    thread.join()
    opener.join()
    assert gate.calls == 1


def test_a_loader_that_would_block_its_own_loop_is_told(make: Make) -> None:
    cache = make()

    async def main() -> None:
        go = asyncio.Event()

        async def slow(key: str) -> str:
            await go.wait()
            return key

        task = asyncio.create_task(cache.aget_or_load("a", slow))
        while not cache._flights._open:
            await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="use aget_or_load"):
            cache.get_or_load("a", str)
        go.set()
        assert await task == "a"

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_tasks_that_wait_for_each_other_do_not_deadlock(make: Make) -> None:
    cache = make()

    async def ask_other(key: str) -> Any:
        while len(cache._flights._open) < 2:
            await asyncio.sleep(0)
        other = "b" if key == "a" else "a"
        return key + await cache.aget_or_load(other, str.upper)

    async def main() -> list[str]:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.gather(*(cache.aget_or_load(key, ask_other) for key in "ab"))

    assert sorted(asyncio.run(main())) in (["aB", "baB"], ["abA", "bA"])


def test_a_load_whose_loop_has_ended_is_not_waited_for(make: Make) -> None:
    cache = make()
    loop = asyncio.new_event_loop()

    async def forever(key: str) -> str:
        await asyncio.sleep(3600)
        return key

    async def start() -> None:
        asks.append(asyncio.create_task(cache.aget_or_load("a", forever)))
        while not cache._flights._open:
            await asyncio.sleep(0)

    asks: list[Any] = []
    loop.run_until_complete(start())
    pending = asyncio.all_tasks(loop)
    loop.close()
    assert cache.get_or_load("a", str.upper) == "A"
    for task in pending:  # left behind on purpose: not worth a complaint
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        task.get_coro().close()
