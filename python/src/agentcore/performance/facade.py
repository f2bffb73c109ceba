"""FastPerformanceMonitor: what callers use; they can't tell which implementation answers.

It asks the manager once. When native code fails inside (a panic, an error that isn't in the
contract), the failure is counted and the twin answers that call; when the component has tripped,
the twin answers from then on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from agentcore.integration import (
    Implementation,
    RustIntegrationManager,
    default_manager,
    is_native_panic,
)
from agentcore.performance import twin
from agentcore.performance.contract import (
    Failure,
    MonitorCore,
    Recording,
    Scrape,
    Snapshot,
    Statistics,
    check_benchmark,
    check_interval,
)

__all__ = ["FastPerformanceMonitor"]

COMPONENT = "agent_performance_monitor"
_Path = str | os.PathLike[str]
_T = TypeVar("_T")


class FastPerformanceMonitor:
    """Host and container metrics, a snapshot, benchmarks. Safe under threads.

    Args:
        procfs: the host's procfs; in a container where it is mounted.
        sysfs: the host's sysfs.
        rootfs: the host's root; put in front of every mount point.
        textfile_directory: folder of ``*.prom`` files that are added to the page.
        recording: answers for what isn't a file, for a page that is the same each time (tests).
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(
        self,
        *,
        procfs: _Path = "/proc",
        sysfs: _Path = "/sys",
        rootfs: _Path = "/",
        textfile_directory: _Path | None = None,
        recording: Recording | None = None,
        manager: RustIntegrationManager | None = None,
    ) -> None:
        self._manager = default_manager() if manager is None else manager
        textfiles = None if textfile_directory is None else os.fspath(textfile_directory)
        paths = (os.fspath(procfs), os.fspath(sysfs), os.fspath(rootfs))
        self._twin = twin.Monitor(*paths, textfiles, recording)
        self._native: Any = self._manager.native(COMPONENT)
        self._native_monitor: MonitorCore | None = None
        if self._native is not None:
            self._native_monitor = self._answer(
                lambda: self._native.Monitor(*paths, textfiles, recording), lambda: None
            )

    @property
    def implementation(self) -> Implementation:
        """Who answers."""
        return "python" if self._native is None else "native"

    def collector_names(self) -> list[str]:
        """The collectors' names, in the order of the page."""
        return self._twin.collector_names()

    def collect(self, only: Sequence[str] = (), exclude: Sequence[str] = ()) -> str:
        """Make a page, Prometheus's text format 0.0.4.

        Args:
            only: the collectors to run; all if empty.
            exclude: the collectors to leave out.

        Raises:
            ValueError: a name is unknown, or both are given.
        """
        return self.scrape(only, exclude).text

    def scrape(self, only: Sequence[str] = (), exclude: Sequence[str] = ()) -> Scrape:
        """Make a page and say what went wrong on the way; see `collect`."""
        chosen, left_out = list(only), list(exclude)
        native = self._native_monitor
        text, failures = self._answer(
            lambda: (native or self._twin).collect(chosen, left_out),
            lambda: self._twin.collect(chosen, left_out),
            allowed=ValueError,
        )
        return Scrape(text, tuple(Failure(*failure) for failure in failures))

    def families(self, only: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[Metric]:
        """Make a page and return it as prometheus_client's metric families."""
        return list(text_string_to_metric_families(self.collect(only, exclude)))

    def snapshot(self, interval: float = 0.0) -> Snapshot:
        """Look at the machine.

        Args:
            interval: seconds to wait, 0 to 60, to see how busy the processors are.

        Raises:
            ValueError: the interval is out of range.
        """
        check_interval(interval)
        return self._answer(
            lambda: cast("Snapshot", (self._native or twin).snapshot(float(interval))),
            lambda: twin.snapshot(float(interval)),
        )

    def statistics(self, samples: Sequence[float]) -> Statistics:
        """Return the statistics of measured times.

        Raises:
            ValueError: there are no samples, or one isn't finite.
        """
        values = [float(sample) for sample in samples]
        return self._answer(
            lambda: cast("Statistics", (self._native or twin).statistics(values)),
            lambda: twin.statistics(values),
            allowed=ValueError,
        )

    def benchmark(
        self, call: Callable[[], object], *, rounds: int = 30, warmup: int = 3, inner: int = 1
    ) -> Statistics:
        """Measure a callable.

        Args:
            call: what is measured; its exceptions end the benchmark and reach the caller.
            rounds: how many rounds are measured.
            warmup: how many rounds run before them.
            inner: calls in a round; take more than 1 for calls of some microseconds.

        Raises:
            TypeError: an argument is of the wrong type.
            ValueError: an argument is out of range.
        """
        check_benchmark(call, rounds, warmup, inner)
        # Any exception may be the callable's own; only a panic can't be.
        return self._answer(
            lambda: cast(
                "Statistics", (self._native or twin).benchmark(call, rounds, warmup, inner)
            ),
            lambda: twin.benchmark(call, rounds, warmup, inner),
            allowed=Exception,
        )

    def _answer(
        self,
        native: Callable[[], _T],
        python: Callable[[], _T],
        *,
        allowed: type[Exception] | tuple[type[Exception], ...] = (),
    ) -> _T:
        if self._native is None:
            return python()
        try:
            return native()
        except allowed:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and not is_native_panic(error):
                raise  # KeyboardInterrupt, SystemExit
            self._manager.record_fault(COMPONENT, error)
            if self._manager.native(COMPONENT) is None:
                self._native = self._native_monitor = None
            return python()
