"""Containers under cAdvisor's names, read from their cgroups (version 1 and 2).

``id`` is the cgroup's path. ``name`` and ``image`` come from Docker's own record of the container
when it can be read (it belongs to root); otherwise ``name`` is the container's id.
"""

from __future__ import annotations

from agentcore.performance.collectors.containers import cgroup_v1, cgroup_v2
from agentcore.performance.collectors.containers.find import LIMIT, find
from agentcore.performance.collectors.containers.usage import Usage
from agentcore.performance.host import Host
from agentcore.performance.page import Kind, Page, scaled

# Metric, help, type, decimals, figure.
_FIGURES: tuple[tuple[str, str, Kind, int, str], ...] = (
    (
        "cpu_cfs_periods_total",
        "Number of elapsed enforcement period intervals.",
        "counter",
        0,
        "cfs_periods",
    ),
    (
        "cpu_cfs_throttled_periods_total",
        "Number of throttled period intervals.",
        "counter",
        0,
        "cfs_throttled_periods",
    ),
    (
        "cpu_cfs_throttled_seconds_total",
        "Total time duration the container has been throttled.",
        "counter",
        9,
        "cfs_throttled_nanos",
    ),
    (
        "cpu_system_seconds_total",
        "Cumulative system cpu time consumed in seconds.",
        "counter",
        9,
        "cpu_system_nanos",
    ),
    (
        "cpu_usage_seconds_total",
        "Cumulative cpu time consumed in seconds.",
        "counter",
        9,
        "cpu_nanos",
    ),
    (
        "cpu_user_seconds_total",
        "Cumulative user cpu time consumed in seconds.",
        "counter",
        9,
        "cpu_user_nanos",
    ),
    ("fs_reads_bytes_total", "Cumulative count of bytes read", "counter", 0, "fs_read_bytes"),
    (
        "fs_writes_bytes_total",
        "Cumulative count of bytes written",
        "counter",
        0,
        "fs_written_bytes",
    ),
    ("memory_cache", "Number of bytes of page cache memory.", "gauge", 0, "memory_cache_bytes"),
    ("memory_rss", "Size of RSS in bytes.", "gauge", 0, "memory_rss_bytes"),
    (
        "memory_usage_bytes",
        "Current memory usage in bytes, including all memory regardless of when it was accessed",
        "gauge",
        0,
        "memory_bytes",
    ),
    (
        "memory_working_set_bytes",
        "Current working set in bytes.",
        "gauge",
        0,
        "working_set_bytes",
    ),
    (
        "oom_events_total",
        "Count of out of memory events observed for the container",
        "counter",
        0,
        "oom_kills",
    ),
    (
        "spec_memory_limit_bytes",
        "Memory limit for the container.",
        "gauge",
        0,
        "memory_limit_bytes",
    ),
    ("threads", "Number of threads running inside the container", "gauge", 0, "threads"),
    (
        "threads_max",
        "Maximum number of threads allowed inside the container, infinity if value is zero",
        "gauge",
        0,
        "threads_limit",
    ),
)


class Collector:
    """Containers."""

    name = "containers"

    def collect(self, host: Host, page: Page) -> None:
        """Write up to eighteen families."""
        found = find(host)
        reader = cgroup_v1.read if found.version == 1 else cgroup_v2.read
        containers: list[tuple[dict[str, str], Usage]] = []
        for labels in found.containers:
            usage = reader(found.root, labels["id"])
            if not usage.is_gone:
                containers.append((labels, usage))
        if found.truncated:
            page.warn(f"more than {LIMIT} containers; the rest is left out")
        for name, help_text, kind, decimals, figure in _FIGURES:
            values = [(labels, getattr(usage, figure)) for labels, usage in containers]
            having = [(labels, value) for labels, value in values if value is not None]
            if not having:
                continue
            page.family(f"container_{name}", help_text, kind)
            for labels, value in having:
                page.sample(labels, scaled(value, decimals))
        if containers:
            help_text = "Last time a container was seen by the exporter"
            page.family("container_last_seen", help_text, "gauge")
            for labels, _ in containers:
                page.sample(labels, host.now_micros() // 1_000_000)
        page.single(
            "container_scrape_error",
            "1 if there was an error while getting container metrics, 0 otherwise",
            "gauge",
            int(found.truncated),
        )
