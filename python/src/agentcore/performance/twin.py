"""The pure-Python performance monitor: the reference of the native ``agent_performance_monitor``.

It has the native module's names: `Monitor`, `benchmark`, `snapshot`, `statistics`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence

from agentcore import __version__
from agentcore.performance.collectors import Collector, all_collectors
from agentcore.performance.contract import Recording, Statistics
from agentcore.performance.host import CollectError, Host, NoDataError
from agentcore.performance.machine import snapshot
from agentcore.performance.page import Page, scaled
from agentcore.performance.statter import Statter

__all__ = ["Monitor", "__version__", "benchmark", "snapshot", "statistics"]

_BUILD_HELP = (
    "A metric with a constant '1' value labeled by version, revision, branch, goversion from "
    "which node_exporter was built, and the goos and goarch for the build."
)


class Monitor:
    """The monitor of one host. Scrapes run one after the other. See `MonitorCore`."""

    def __init__(
        self,
        procfs: str | os.PathLike[str],
        sysfs: str | os.PathLike[str],
        rootfs: str | os.PathLike[str],
        textfile_directory: str | os.PathLike[str] | None = None,
        recording: Recording | None = None,
    ) -> None:
        textfiles = None if textfile_directory is None else os.fspath(textfile_directory)
        paths = (os.fspath(procfs), os.fspath(sysfs), os.fspath(rootfs), textfiles)
        self._host = Host(*paths, recording, Statter())
        self._collectors = all_collectors()
        self._lock = threading.Lock()

    def collector_names(self) -> list[str]:
        """The collectors' names, in the order of the page."""
        return [collector.name for collector in self._collectors]

    def collect(
        self, only: Sequence[str], exclude: Sequence[str]
    ) -> tuple[str, list[tuple[str, str]]]:
        """Make a page; see `MonitorCore.collect`."""
        if only and exclude:
            raise ValueError("collect[] and exclude[] cannot be combined")
        names = self.collector_names()
        for name in (*only, *exclude):
            if name not in names:
                quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
                known = ", ".join(names)
                raise ValueError(f"there is no collector {quoted}; the collectors are: {known}")
        with self._lock:
            return self._run(
                [
                    collector
                    for collector in self._collectors
                    if (not only or collector.name in only) and collector.name not in exclude
                ]
            )

    def _run(self, collectors: list[Collector]) -> tuple[str, list[tuple[str, str]]]:
        page = Page()
        failures: list[tuple[str, str]] = []
        outcomes: list[tuple[str, int, int]] = []
        page.family("node_exporter_build_info", _BUILD_HELP, "gauge")
        page.sample({"goos": "linux", "version": __version__}, 1)
        for collector in collectors:
            mark = len(page.parts)
            begin = time.perf_counter_ns()
            failure: CollectError | None = None
            try:
                collector.collect(self._host, page)
            except CollectError as error:
                failure = error
                del page.parts[mark:]
            nanos = 0 if self._host.recording else time.perf_counter_ns() - begin
            outcomes.append((collector.name, nanos, int(failure is None)))
            failures += [(collector.name, reason) for reason in page.warnings]
            page.warnings.clear()
            if failure is not None and not isinstance(failure, NoDataError):
                failures.append((collector.name, str(failure)))
        page.family(
            "node_scrape_collector_duration_seconds",
            "node_exporter: Duration of a collector scrape.",
            "gauge",
        )
        for name, nanos, _ in outcomes:
            page.sample({"collector": name}, scaled(nanos, 9))
        page.family(
            "node_scrape_collector_success",
            "node_exporter: Whether a collector succeeded.",
            "gauge",
        )
        for name, _, success in outcomes:
            page.sample({"collector": name}, success)
        return page.text(), failures


def statistics(samples: Sequence[float]) -> Statistics:
    """Return the statistics of measured times.

    Raises:
        ValueError: there are no samples, or one isn't finite.
    """
    if not samples:
        raise ValueError("rounds must be at least 1")
    for index, sample in enumerate(samples):
        if not math.isfinite(sample):
            raise ValueError(f"sample {index} is not a finite number")
    ordered = sorted(map(float, samples))
    middle = _median(ordered)
    total = 0.0
    for sample in ordered:  # sum() compensates from Python 3.12 on: other last digits
        total += sample
    return {
        "rounds": len(ordered),
        "median": middle,
        "p95": ordered[-(-len(ordered) * 95 // 100) - 1],
        "mad": _median(sorted(abs(sample - middle) for sample in ordered)),
        "min": ordered[0],
        "max": ordered[-1],
        "mean": total / len(ordered),
    }


def _median(ordered: list[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def benchmark(call: Callable[[], object], rounds: int, warmup: int, inner: int) -> Statistics:
    """Measure ``call``: ``warmup`` rounds unmeasured, then ``rounds`` of ``inner`` calls each.

    Raises:
        ValueError: ``rounds`` or ``inner`` is 0; besides it, whatever ``call`` raises.
    """
    for name, value in (("rounds", rounds), ("inner", inner)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1")
    samples = []
    for number in range(warmup + rounds):
        begin = time.perf_counter()
        for _ in range(inner):
            call()
        seconds = (time.perf_counter() - begin) / inner
        if number >= warmup:
            samples.append(seconds)
    return statistics(samples)
