"""When native code panics, the twin answers; nobody sees a PanicException."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agentcore.cache import FastCacheManager
from agentcore.errors import NativeUnavailableError
from agentcore.integration import RustIntegrationManager
from agentcore.settings import NativeMode, Settings

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]


@pytest.fixture
def fresh(both: Both) -> Iterator[RustIntegrationManager]:
    """A native manager of its own: these tests trip it. ``both`` skips when absent."""
    lib_dir = Settings.from_env().lib_dir
    yield RustIntegrationManager(Settings(lib_dir=lib_dir), isolate=False, fault_limit=2)


def make(manager: RustIntegrationManager) -> tuple[FastCacheManager[str, int], Any]:
    cache = FastCacheManager[str, int](4, policy="lru", manager=manager)
    return cache, cache


def test_a_panic_is_answered_by_the_twin_and_counted(fresh: RustIntegrationManager) -> None:
    cache, native = make(fresh)
    get = cache.get  # bound before the fault
    cache.set("a", 1)
    assert native._panic() == 0  # the twin's length: it starts empty
    assert cache.implementation == "python"
    assert get("a") is None
    cache.set("b", 2)
    cache["c"] = 3
    cache.set_many({"d": 4})
    assert get("b") == cache["b"] == 2
    assert cache.get_many(["c", "x"], 0) == [3, 0]
    assert "c" in cache
    assert cache.items() == [("d", 4), ("b", 2), ("c", 3)]
    del cache["b"]
    assert cache.delete("c") is True
    assert (list(cache), len(cache)) == (["d"], 1)
    with pytest.raises(KeyError):
        cache["gone"]
    with pytest.raises(TypeError, match="unhashable"):
        cache.get([])  # type: ignore[call-overload]
    status = fresh.component_status(COMPONENT)
    assert (status.state, status.faults) == ("native", 1)


def test_the_component_trips_and_takes_all_caches_along(fresh: RustIntegrationManager) -> None:
    innocent, _ = make(fresh)
    for _ in range(2):
        make(fresh)[1]._panic()
    status = fresh.component_status(COMPONENT)
    assert (status.state, status.implementation, status.faults) == ("tripped", "python", 2)
    assert "NativeCallError: panic: on purpose" in status.reason
    assert innocent.implementation == "python"
    innocent.set("still", 1)
    assert innocent["still"] == 1
    assert make(fresh)[0].implementation == "python"


def test_required_native_code_fails_with_the_cause(both: Both) -> None:
    settings = Settings(native=NativeMode.REQUIRE, lib_dir=Settings.from_env().lib_dir)
    cache, native = make(RustIntegrationManager(settings, isolate=False))
    cache.set("a", 1)
    with pytest.raises(NativeUnavailableError, match="panic: on purpose"):
        native._panic()
