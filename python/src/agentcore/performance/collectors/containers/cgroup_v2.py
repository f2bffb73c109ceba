"""cgroup version 2: one tree for all controllers (Documentation/admin-guide/cgroup-v2.rst)."""

from __future__ import annotations

from agentcore.performance.collectors.containers.usage import Usage, keyed, number_in, read_text
from agentcore.performance.host import parse_number
from agentcore.performance.page import saturate


def read(root: str, cgroup: str) -> Usage:
    """Read one container's figures."""
    folder = root + cgroup
    cpu = keyed(f"{folder}/cpu.stat")
    memory = keyed(f"{folder}/memory.stat")
    io = read_text(f"{folder}/io.stat")

    def nanos(key: str) -> int | None:
        value = cpu(key)
        return None if value is None else saturate(value * 1000)

    return Usage(
        cpu_nanos=nanos("usage_usec"),
        cpu_user_nanos=nanos("user_usec"),
        cpu_system_nanos=nanos("system_usec"),
        cfs_periods=cpu("nr_periods"),
        cfs_throttled_periods=cpu("nr_throttled"),
        cfs_throttled_nanos=nanos("throttled_usec"),
        memory_bytes=number_in(f"{folder}/memory.current"),
        memory_inactive_file_bytes=memory("inactive_file"),
        memory_rss_bytes=memory("anon"),
        memory_cache_bytes=memory("file"),
        memory_limit_bytes=number_in(f"{folder}/memory.max"),
        oom_kills=keyed(f"{folder}/memory.events")("oom_kill"),
        threads=number_in(f"{folder}/pids.current"),
        threads_limit=number_in(f"{folder}/pids.max"),
        fs_read_bytes=_sum(io, "rbytes="),
        fs_written_bytes=_sum(io, "wbytes="),
    )


def _sum(text: str | None, key: str) -> int | None:
    """Sum ``254:0 rbytes=4096 wbytes=0 …`` over the devices."""
    if text is None:
        return None
    words = [word.removeprefix(key) for word in text.split() if word.startswith(key)]
    return saturate(sum(parse_number(word) or 0 for word in words))
