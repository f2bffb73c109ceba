"""Many threads, hostile keys, and millions of calls: nothing breaks, and nothing is left behind."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from agentcore.cache import FastCacheManager, Policy
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
POLICIES: list[Policy] = ["s3fifo", "lru", "lfu", "auto"]
THREADS = 16


class Meddler:
    """A key that uses the cache whenever it is hashed, compared, or dies."""

    def __init__(self, number: int, meddle: Callable[[], None]) -> None:
        self.number, self.meddle = number, meddle

    def __hash__(self) -> int:
        self.meddle()
        return self.number % 3

    def __eq__(self, other: object) -> bool:
        self.meddle()
        return isinstance(other, Meddler) and self.number == other.number

    def __del__(self) -> None:
        self.meddle()


@pytest.mark.parametrize("policy", POLICIES)
def test_keys_that_use_the_cache_they_are_in(
    manager: RustIntegrationManager, policy: Policy
) -> None:
    cache = FastCacheManager[Any, Any](6, policy=policy, manager=manager)
    chance = random.Random(7)
    depth = [0]

    def meddle() -> None:
        if depth[0] > 2:
            return
        depth[0] += 1
        try:
            plain = chance.randrange(8)
            for act in (
                lambda: cache.set(plain, Meddler(plain, lambda: None)),
                lambda: cache.get_many([plain, "x"]),
                lambda: cache.delete(plain),
                lambda: cache.set_many({plain: 1, "x": 2}, tags=["t"]),
            )[chance.randrange(4) :]:
                act()
        finally:
            depth[0] -= 1

    for step in range(300):
        key = Meddler(chance.randrange(9), meddle)
        cache.set(key, step, tags=["t"])
        cache.get(Meddler(chance.randrange(9), meddle))
        cache.get_many([Meddler(number, meddle) for number in range(4)])
        if step % 40 == 0:
            cache.invalidate_tag("t")
        cache.get_or_load(Meddler(chance.randrange(9), meddle), lambda _: cache.get("x"))
    assert len(cache) == len(cache.items()) <= 6
    cache.clear()


@pytest.mark.parametrize("policy", POLICIES)
def test_sixteen_threads_hammer_one_cache(manager: RustIntegrationManager, policy: Policy) -> None:
    now = [0.0]
    cache = FastCacheManager[int, int](
        80, policy=policy, maxweight=400, ttl=50, tti=20, clock=lambda: now[0], manager=manager
    )
    failures: list[BaseException] = []
    start = threading.Barrier(THREADS, timeout=60)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            start.wait()
            for _ in range(300):
                key = chance.randrange(200)
                now[0] += 0.01
                cache.set(key, key, weight=chance.randrange(9), tags=[str(key % 5)])
                wanted = [chance.randrange(200) for _ in range(20)]
                for got, asked in zip(cache.get_many(wanted), wanted, strict=True):
                    if got not in (None, asked):
                        raise AssertionError(f"{asked} has {got}")
                if cache.get_or_load(key, int) != key:
                    raise AssertionError(key)
                choice = chance.randrange(40)
                if choice == 0:
                    cache.invalidate_tag(str(key % 5))
                elif choice == 1:
                    cache.expire()
                elif choice == 2:
                    cache.delete_many(wanted)
                elif choice == 3:
                    cache.items()
                elif choice == 4 and key < 20:
                    cache.clear()
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    stats = cache.stats()
    assert stats.size == len(cache) <= 80
    assert stats.weight <= 400
    assert sum(row[6] for row in cache._dump()) <= stats.weight  # type: ignore[attr-defined]


FLAT = """
import resource, sys
from agentcore.cache import FastCacheManager, cached

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

operations, policy = int(sys.argv[1]), sys.argv[2]
cache = FastCacheManager(2000, policy=policy, ttl=1000, tti=1000, maxweight=10_000)
batch = [f"key {number}" for number in range(1000)]

@cached(maxsize=500)
def double(number):
    return [number]

def work(rounds):
    for round_ in range(rounds):
        cache.get_many(batch)
        cache.set_many([(f"{round_} {number}", [number]) for number in range(1000)], tags=["all"])
        for number in range(500):
            key = (round_, number)
            cache.get_or_load(key, list, weight=number % 9, tags=[str(number % 7)])
            cache.get(key)
            cache.set(key, key)
            double(round_ * 500 + number)
        cache.delete_many(batch[:100])
        if round_ % 10 == 0:
            cache.invalidate_tag("all")
        if round_ % 50 == 0:
            cache.clear()

rounds = operations // 4100
work(max(50, rounds // 10))
before = resident()
work(rounds)
print(cache.implementation, resident() - before)
"""


@pytest.mark.slow
@pytest.mark.timeout(400)  # ten seconds, unless the machine is very busy
@pytest.mark.parametrize("policy", POLICIES)
def test_memory_stays_flat(manager: RustIntegrationManager, policy: Policy) -> None:
    native = manager.component_status(COMPONENT).state == "native"
    operations = 2_500_000 if native else 100_000
    environment = os.environ | {"AGENTCORE_NATIVE": "require" if native else "off"}
    command = [sys.executable, "-c", FLAT, str(operations), policy]
    told = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=380, check=True
    )
    implementation, growth = told.stdout.split()
    assert implementation == ("native" if native else "python")
    assert int(growth) < 12 * 2**20, (
        "more than noise: what a leaked object a call would take is far above"
    )
