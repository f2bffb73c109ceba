"""What ``agent_performance_monitor`` must answer: statistics, and a page of a small host."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]


def _statistics(ns: Any) -> object:
    figures = ns.statistics([4.0, 1.0, 3.0, 2.0, 100.0])
    return {key: figures[key] for key in sorted(figures)}


def _refusals(ns: Any) -> object:
    words = []
    calls: tuple[Callable[[], object], ...] = (
        lambda: ns.statistics([]),
        lambda: ns.statistics([1.0, float("nan")]),
        lambda: ns.benchmark(int, 1, 0, 0),
        lambda: ns.Monitor("/", "/", "/", None, None).collect(["cpu"], ["cpu"]),
    )
    for call in calls:
        try:
            call()
        except ValueError as error:
            words.append(str(error))
    return words


def _benchmark(ns: Any) -> object:
    calls = []
    figures = ns.benchmark(lambda: calls.append(1), 5, 2, 3)
    return len(calls), figures["rounds"], 0 < figures["min"] <= figures["median"]


def _page(ns: Any) -> object:
    with tempfile.TemporaryDirectory() as folder:
        proc = Path(folder, "proc")
        (proc / "1").mkdir(parents=True)
        (proc / "stat").write_text("cpu  0\ncpu0 12 0 345 6\n")
        (proc / "loadavg").write_text("0.52 1.00 x 1/2 3\n")
        (proc / "1/mountinfo").write_text("27 1 254:0 / /a\\040b ro - ext4 /dev/vda rw\n")
        recording = (1_500_000, {"/a b": (4096, 10, 9, 8, 7, 6)})
        monitor = ns.Monitor(str(proc), folder, folder, None, recording)
        text, failures = monitor.collect(["cpu", "loadavg", "filesystem", "time"], [])
    wanted = (
        "node_cpu_seconds_total",
        "node_filesystem_avail",
        "node_filesystem_readonly",
        "node_time",
        "node_load",
        "node_scrape_collector_success",
    )
    lines = [line for line in text.splitlines() if line.startswith(wanted)]
    return lines, [(name, reason.rpartition("/")[2]) for name, reason in failures]


_FS = 'device="/dev/vda",device_error="",fstype="ext4",mountpoint="/a b"'

VECTORS: tuple[Vector, ...] = (
    Vector(
        "statistics",
        _statistics,
        {
            "mad": 1.0,
            "max": 100.0,
            "mean": 22.0,
            "median": 3.0,
            "min": 1.0,
            "p95": 100.0,
            "rounds": 5,
        },
    ),
    Vector(
        "refusals",
        _refusals,
        [
            "rounds must be at least 1",
            "sample 1 is not a finite number",
            "inner must be at least 1",
            "collect[] and exclude[] cannot be combined",
        ],
    ),
    Vector("benchmark", _benchmark, (21, 5, True)),
    Vector(
        "page",
        _page,
        (
            [
                'node_cpu_seconds_total{cpu="0",mode="idle"} 0.06',
                'node_cpu_seconds_total{cpu="0",mode="iowait"} 0',
                'node_cpu_seconds_total{cpu="0",mode="irq"} 0',
                'node_cpu_seconds_total{cpu="0",mode="nice"} 0',
                'node_cpu_seconds_total{cpu="0",mode="softirq"} 0',
                'node_cpu_seconds_total{cpu="0",mode="steal"} 0',
                'node_cpu_seconds_total{cpu="0",mode="system"} 3.45',
                'node_cpu_seconds_total{cpu="0",mode="user"} 0.12',
                f"node_filesystem_avail_bytes{{{_FS}}} 32768",
                f"node_filesystem_readonly{{{_FS}}} 1",
                "node_time_seconds 1.5",
                'node_scrape_collector_success{collector="cpu"} 1',
                'node_scrape_collector_success{collector="filesystem"} 1',
                'node_scrape_collector_success{collector="loadavg"} 0',
                'node_scrape_collector_success{collector="time"} 1',
            ],
            [("loadavg", 'loadavg: line 1: expected a number, found "x"')],
        ),
    ),
)
