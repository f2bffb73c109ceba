"""What both implementations of the performance monitor promise.

A page is Prometheus's text format 0.0.4 under node_exporter's and cAdvisor's names. For the same
tree (and the same recording, see `Recording`) both implementations give the same bytes and the
same failures, in the same order. A collector that fails costs its own metrics only: its
``node_scrape_collector_success`` is 0 and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict

__all__ = [
    "Failure",
    "MonitorCore",
    "Network",
    "Recording",
    "Scrape",
    "Snapshot",
    "Statistics",
    "check_benchmark",
    "check_interval",
]

Recording = tuple[int, Mapping[str, tuple[int, int, int, int, int, int]]]
"""Answers that don't come from files: microseconds since 1970 (also every text file's time of
change), and by mount point what ``statvfs`` says: block size, blocks, free and available ones,
inodes, free inodes. With a recording durations are 0, so that a page is the same each time."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One collector's trouble: its name, and what was wrong where."""

    collector: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scrape:
    """A page and what went wrong on the way."""

    text: str
    failures: tuple[Failure, ...]


class Statistics(TypedDict):
    """What the rounds of a benchmark say; seconds per call.

    ``p95`` is by nearest rank; ``mad`` is the median absolute deviation, unscaled.
    """

    rounds: int
    median: float
    p95: float
    mad: float
    min: float
    max: float
    mean: float


class Network(TypedDict):
    """One network interface since its start."""

    received_bytes: int
    transmitted_bytes: int


class Snapshot(TypedDict):
    """The machine at one moment, as the process sees it (in a container: its own network).

    ``cpu_percent`` is 0 to 100 over all processors, None without an interval; ``load`` is the
    average over 1, 5 and 15 minutes; used memory is the total without the available.
    """

    hostname: str
    kernel: str
    uptime_seconds: int
    boot_time_seconds: int
    cpu_count: int
    cpu_percent: float | None
    load: tuple[float, float, float]
    memory_total_bytes: int
    memory_available_bytes: int
    memory_used_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int
    networks: dict[str, Network]


class MonitorCore(Protocol):
    """What an implementation's ``Monitor`` has.

    It is constructed with procfs, sysfs, rootfs, the textfile folder or None, a `Recording` or
    None.
    """

    def collector_names(self) -> list[str]:
        """The collectors' names, in the order of the page."""

    def collect(
        self, only: Sequence[str], exclude: Sequence[str]
    ) -> tuple[str, list[tuple[str, str]]]:
        """Make a page by the collectors in ``only`` (all if empty) but those in ``exclude``.

        Raises:
            ValueError: a name is unknown, or both lists are given.
        """


def check_benchmark(call: Callable[[], object], rounds: int, warmup: int, inner: int) -> None:
    """Refuse what no implementation can measure.

    Raises:
        TypeError: ``call`` isn't callable, or a number isn't an int.
        ValueError: a number is out of range.
    """
    if not callable(call):
        raise TypeError(f"call must be callable, not {type(call).__name__}")
    for name, value, least in (("rounds", rounds, 1), ("warmup", warmup, 0), ("inner", inner, 1)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an int, not {type(value).__name__}")
        if not least <= value < 2**31:
            raise ValueError(f"{name} must be at least {least} and below 2**31")


def check_interval(interval: float) -> None:
    """Refuse an interval that isn't 0 to 60 seconds.

    Raises:
        ValueError: it isn't.
    """
    if not 0 <= interval <= 60:
        raise ValueError(f"interval must be 0 to 60 seconds, not {interval!r}")
