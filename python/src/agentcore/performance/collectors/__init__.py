"""The collectors: one file each. To add one, add its module to `_MODULES`."""

from __future__ import annotations

from typing import Protocol

from agentcore.performance.collectors import (
    conntrack,
    containers,
    cpu,
    diskstats,
    filefd,
    filesystem,
    loadavg,
    meminfo,
    netdev,
    pressure,
    stat,
    textfile,
    uname,
    vmstat,
)
from agentcore.performance.collectors import time as time_collector
from agentcore.performance.host import Host
from agentcore.performance.page import Page

_MODULES = (
    conntrack,
    containers,
    cpu,
    diskstats,
    filefd,
    filesystem,
    loadavg,
    meminfo,
    netdev,
    pressure,
    stat,
    time_collector,
    uname,
    vmstat,
    # Last: it must not repeat a name that another collector has written.
    textfile,
)


class Collector(Protocol):
    """Writes one subject's metrics."""

    name: str

    def collect(self, host: Host, page: Page) -> None:
        """Write its families; on a `CollectError` everything that it wrote is taken back."""


def all_collectors() -> list[Collector]:
    """Every collector, in the order of the page; each call makes new ones (some remember)."""
    return [module.Collector() for module in _MODULES]
