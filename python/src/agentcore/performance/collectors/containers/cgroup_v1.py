"""cgroup version 1: one tree per controller (Documentation/admin-guide/cgroup-v1)."""

from __future__ import annotations

from agentcore.performance.collectors.containers.usage import Usage, keyed, number_in, read_text
from agentcore.performance.host import parse_number
from agentcore.performance.page import saturate

_UNLIMITED = 1 << 62  # "no limit" is the largest multiple of the page size below 2^63
_TICK_NANOS = 10_000_000


def read(root: str, cgroup: str) -> Usage:
    """Read one container's figures."""
    cpuacct = keyed(f"{root}/cpuacct{cgroup}/cpuacct.stat")
    cpu = keyed(f"{root}/cpu{cgroup}/cpu.stat")
    memory = keyed(f"{root}/memory{cgroup}/memory.stat")
    oom = keyed(f"{root}/memory{cgroup}/memory.oom_control")
    limit = number_in(f"{root}/memory{cgroup}/memory.limit_in_bytes")
    io = _io(f"{root}/blkio{cgroup}/blkio.throttle.io_service_bytes_recursive")

    def ticks(key: str) -> int | None:
        value = cpuacct(key)
        return None if value is None else saturate(value * _TICK_NANOS)

    return Usage(
        cpu_nanos=number_in(f"{root}/cpuacct{cgroup}/cpuacct.usage"),
        cpu_user_nanos=ticks("user"),
        cpu_system_nanos=ticks("system"),
        cfs_periods=cpu("nr_periods"),
        cfs_throttled_periods=cpu("nr_throttled"),
        cfs_throttled_nanos=cpu("throttled_time"),
        memory_bytes=number_in(f"{root}/memory{cgroup}/memory.usage_in_bytes"),
        memory_inactive_file_bytes=memory("total_inactive_file"),
        memory_rss_bytes=memory("total_rss"),
        memory_cache_bytes=memory("total_cache"),
        memory_limit_bytes=0 if limit is not None and limit >= _UNLIMITED else limit,
        oom_kills=oom("oom_kill"),
        threads=number_in(f"{root}/pids{cgroup}/pids.current"),
        threads_limit=number_in(f"{root}/pids{cgroup}/pids.max"),
        fs_read_bytes=io.get("Read"),
        fs_written_bytes=io.get("Write"),
    )


def _io(path: str) -> dict[str, int]:
    """Sum lines ``254:0 Read 4096`` over the devices; empty if the file can't be read."""
    text = read_text(path)
    if text is None:
        return {}
    sums = {"Read": 0, "Write": 0}
    for line in text.split("\n"):
        words = line.split()
        if len(words) > 2 and words[1] in sums:
            sums[words[1]] = saturate(sums[words[1]] + (parse_number(words[2]) or 0))
    return sums
