"""A friendly look at the machine, for programs rather than for Prometheus."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from agentcore.performance.contract import Network, Snapshot

_SHORTEST = 0.2  # seconds; below it a figure of how busy the processors are is noise


def snapshot(interval: float) -> Snapshot:
    """Look at the machine; with an interval, wait that long to see how busy it is.

    Raises:
        ValueError: the interval is negative or not finite.
        RuntimeError: the kernel's files can't be read.
    """
    if not 0 <= interval < float("inf"):
        raise ValueError("interval must be 0 or more seconds")
    try:
        return _look(interval)
    except OSError as error:
        raise RuntimeError(f"cannot look at the machine: {error}") from error


def _look(interval: float) -> Snapshot:
    percent = None
    if interval > 0:
        busy_before, total_before = _ticks()
        time.sleep(max(interval, _SHORTEST))
        busy, total = _ticks()
        span = max(total - total_before, 1)
        percent = min(max(100.0 * (busy - busy_before) / span, 0.0), 100.0)
    memory = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        field, _, rest = line.partition(":")
        memory[field] = int(rest.split()[0]) * 1024
    load = [float(word) for word in Path("/proc/loadavg").read_text().split()[:3]]
    total, available = memory["MemTotal"], memory["MemAvailable"]
    stat = Path("/proc/stat").read_text().splitlines()
    return {
        "hostname": socket.gethostname(),
        "kernel": os.uname().release,
        "uptime_seconds": int(float(Path("/proc/uptime").read_text().split()[0])),
        "boot_time_seconds": next(int(line[6:]) for line in stat if line.startswith("btime ")),
        "cpu_count": sum(line.startswith("cpu") and line[3] != " " for line in stat),
        "cpu_percent": percent,
        "load": (load[0], load[1], load[2]),
        "memory_total_bytes": total,
        "memory_available_bytes": available,
        "memory_used_bytes": total - available,
        "swap_total_bytes": memory["SwapTotal"],
        "swap_free_bytes": memory["SwapFree"],
        "networks": _networks(),
    }


def _ticks() -> tuple[int, int]:
    """Busy ticks and all ticks of all processors; guests are in user already."""
    with Path("/proc/stat").open() as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    total = sum(ticks)
    return total - ticks[3] - ticks[4], total


def _networks() -> dict[str, Network]:
    networks: dict[str, Network] = {}
    for path in sorted(Path("/sys/class/net").iterdir()):
        try:
            received = int((path / "statistics/rx_bytes").read_text())
            transmitted = int((path / "statistics/tx_bytes").read_text())
        except OSError:
            continue  # it went away, or isn't an interface (bonding_masters)
        networks[path.name] = {"received_bytes": received, "transmitted_bytes": transmitted}
    return networks
