"""Host and container metrics, a snapshot of the machine, benchmark statistics."""

from __future__ import annotations

from agentcore.performance.contract import Failure, Network, Scrape, Snapshot, Statistics
from agentcore.performance.facade import FastPerformanceMonitor

__all__ = [
    "Failure",
    "FastPerformanceMonitor",
    "Network",
    "Scrape",
    "Snapshot",
    "Statistics",
]
