"""FastPerformanceMonitor over both implementations, and what it does when native code fails."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcore.integration import RustIntegrationManager
from agentcore.integration.selftests.agent_performance_monitor import VECTORS
from agentcore.performance import FastPerformanceMonitor, twin
from agentcore.performance.statter import HUNG, Capacity, Statter

COMPONENT = "agent_performance_monitor"
Managers = tuple[RustIntegrationManager, RustIntegrationManager]


@pytest.fixture
def monitor(manager: RustIntegrationManager) -> FastPerformanceMonitor:
    return FastPerformanceMonitor(manager=manager)


def test_this_machine_has_a_page(monitor: FastPerformanceMonitor) -> None:
    page = monitor.collect()
    names = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE ")]
    assert len(names) == len(set(names)), "every family is one block"
    assert {"node_cpu_seconds_total", "node_memory_MemTotal_bytes", "node_uname_info"} <= {*names}
    assert page.endswith("\n")


def test_both_see_the_same_machine(both: Managers) -> None:
    python, native = (FastPerformanceMonitor(manager=manager) for manager in both)
    assert (python.implementation, native.implementation) == ("python", "native")
    names = ["uname", "filesystem", "filefd", "stat", "diskstats", "netdev", "meminfo", "vmstat"]

    def series(page: str) -> list[str]:
        return [
            line.rpartition(" ")[0] if line[0] != "#" else line
            for line in page.splitlines()
            if "_scrape_" not in line
        ]

    for _ in range(3):  # a mount or an interface may come between the two pages
        pages = series(python.collect(names)), series(native.collect(names))
        if pages[0] == pages[1]:
            break
    assert pages[0] == pages[1]


def test_snapshot(monitor: FastPerformanceMonitor) -> None:
    seen = monitor.snapshot()
    assert seen["cpu_percent"] is None
    assert seen["cpu_count"] >= 1
    assert seen["memory_used_bytes"] == seen["memory_total_bytes"] - seen["memory_available_bytes"]
    assert "lo" in seen["networks"]
    assert abs(time.time() - seen["boot_time_seconds"] - seen["uptime_seconds"]) < 5
    percent = monitor.snapshot(0.2)["cpu_percent"]
    assert percent is not None
    assert 0 <= percent <= 100
    for wrong in (-1, 61, math.nan, math.inf):
        with pytest.raises(ValueError, match="interval must be 0 to 60 seconds"):
            monitor.snapshot(wrong)


def test_both_take_the_same_snapshot(both: Managers) -> None:
    python, native = (FastPerformanceMonitor(manager=manager).snapshot() for manager in both)
    assert python.keys() == native.keys()
    for key in ("hostname", "kernel", "boot_time_seconds", "cpu_count", "memory_total_bytes"):
        assert python[key] == native[key]
    assert abs(python["memory_used_bytes"] - native["memory_used_bytes"]) < 2**30


def test_benchmark(monitor: FastPerformanceMonitor) -> None:
    calls: list[int] = []
    figures = monitor.benchmark(lambda: calls.append(1), rounds=7, warmup=2, inner=3)
    assert len(calls) == 27
    assert figures["rounds"] == 7
    assert 0 < figures["min"] <= figures["median"] <= figures["p95"] <= figures["max"]
    assert monitor.benchmark(lambda: time.sleep(0.01), rounds=3)["median"] >= 0.01
    with pytest.raises(ZeroDivisionError):
        monitor.benchmark(lambda: 1 // 0)
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        monitor.benchmark(int, rounds=0)
    with pytest.raises(TypeError, match="call must be callable, not int"):
        monitor.benchmark(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="inner must be an int, not float"):
        monitor.benchmark(int, inner=1.5)  # type: ignore[arg-type]


@given(samples=st.lists(st.floats(0, 1e9), max_size=40))
def test_both_compute_the_same_statistics(both: Managers, samples: list[float]) -> None:
    answers = []
    for manager in both:
        try:
            answers.append(repr(FastPerformanceMonitor(manager=manager).statistics(samples)))
        except ValueError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_twin_passes_the_self_test(vector: Any) -> None:
    assert vector.run(twin) == vector.expected


class PanicException(BaseException):  # PyO3's name
    """What a Rust panic looks like in Python."""


PanicException.__module__ = "pyo3_runtime"


class FailingManager:
    """A manager whose native module fails, and trips after two faults."""

    def __init__(self, error: BaseException) -> None:
        self.faults: list[BaseException] = []
        self.error = error

    def _fail(self, *_: object) -> object:
        raise self.error

    def native(self, _: str) -> object:
        if len(self.faults) >= 2:
            return None
        broken = SimpleNamespace(collect=self._fail)
        return SimpleNamespace(
            Monitor=lambda *_: broken,
            snapshot=self._fail,
            statistics=self._fail,
            benchmark=self._fail,
        )

    def record_fault(self, _: str, error: BaseException) -> None:
        self.faults.append(error)


CALLS: list[Callable[[FastPerformanceMonitor], object]] = [
    lambda monitor: monitor.collect(["time"]),
    lambda monitor: monitor.snapshot(),
    lambda monitor: monitor.statistics([1.0]),
    lambda monitor: monitor.benchmark(int, rounds=1),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_native_fault_is_answered_by_the_twin(
    call: Callable[[FastPerformanceMonitor], object],
) -> None:
    manager: Any = FailingManager(PanicException("boom"))
    monitor = FastPerformanceMonitor(manager=manager)
    before = monitor.implementation
    assert call(monitor)
    assert len(manager.faults) == 1
    assert call(monitor)
    assert (before, monitor.implementation) == ("native", "python"), "tripped"
    assert call(monitor)
    assert len(manager.faults) == 2


def test_the_callables_own_errors_and_interrupts_are_no_faults() -> None:
    for error in (KeyboardInterrupt(), ValueError("its own")):
        manager: Any = FailingManager(error)
        with pytest.raises(type(error)):
            FastPerformanceMonitor(manager=manager).benchmark(int, rounds=1)
        assert manager.faults == []


def test_a_hung_mount_costs_its_budget_once() -> None:
    release = threading.Event()
    asked: list[str] = []

    def ask(path: str) -> Capacity | str:
        asked.append(path)
        if path == "/hung":
            release.wait(10)
        return (1, 2, 3, 4, 5, 6)

    statter = Statter(ask)
    begin = time.monotonic()
    assert statter.stat("/hung", 0.1) == HUNG
    assert time.monotonic() - begin >= 0.1
    assert statter.stat("/fine", 1) == (1, 2, 3, 4, 5, 6)
    begin = time.monotonic()
    assert statter.stat("/hung", 5) == HUNG
    assert time.monotonic() - begin < 1, "it isn't waited for again"
    assert asked == ["/hung", "/fine"], "nor asked again"
    release.set()
    deadline = time.monotonic() + 5
    while statter.stat("/hung", 5) == HUNG and time.monotonic() < deadline:
        time.sleep(0.01)
    assert statter.stat("/hung", 5) == (1, 2, 3, 4, 5, 6)
    statter.close()
