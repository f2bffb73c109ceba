//! cgroup version 1: one tree per controller (Documentation/admin-guide/cgroup-v1).

use std::path::Path;

use super::{Usage, keyed, number_in};

/// "No limit" is the largest multiple of the page size below 2^63.
const UNLIMITED: u64 = 1 << 62;
const TICK_NANOS: u64 = 10_000_000;

pub(super) fn read(root: &Path, id: &str) -> Usage {
    let file = |controller: &str, name: &str| root.join(controller).join(&id[1..]).join(name);
    let cpuacct = keyed(&file("cpuacct", "cpuacct.stat"));
    let cpu = keyed(&file("cpu", "cpu.stat"));
    let memory = keyed(&file("memory", "memory.stat"));
    let oom = keyed(&file("memory", "memory.oom_control"));
    let (read, written) = io(&file("blkio", "blkio.throttle.io_service_bytes_recursive"));
    let ticks = |key| cpuacct(key).map(|ticks| ticks.saturating_mul(TICK_NANOS));
    Usage {
        cpu_nanos: number_in(&file("cpuacct", "cpuacct.usage")),
        cpu_user_nanos: ticks("user"),
        cpu_system_nanos: ticks("system"),
        cfs_periods: cpu("nr_periods"),
        cfs_throttled_periods: cpu("nr_throttled"),
        cfs_throttled_nanos: cpu("throttled_time"),
        memory_bytes: number_in(&file("memory", "memory.usage_in_bytes")),
        memory_inactive_file_bytes: memory("total_inactive_file"),
        memory_rss_bytes: memory("total_rss"),
        memory_cache_bytes: memory("total_cache"),
        memory_limit_bytes: number_in(&file("memory", "memory.limit_in_bytes"))
            .map(|limit| if limit >= UNLIMITED { 0 } else { limit }),
        oom_kills: oom("oom_kill"),
        threads: number_in(&file("pids", "pids.current")),
        threads_limit: number_in(&file("pids", "pids.max")),
        fs_read_bytes: read,
        fs_written_bytes: written,
    }
}

/// Lines `254:0 Read 4096`; the sum over the devices.
fn io(path: &Path) -> (Option<u64>, Option<u64>) {
    let Ok(text) = std::fs::read_to_string(path) else {
        return (None, None);
    };
    let (mut read, mut written) = (0_u64, 0_u64);
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (Some(direction), Some(value)) = (words.next(), words.next()) else {
            continue;
        };
        let value = crate::host::parse_number(value).unwrap_or(0);
        match direction {
            "Read" => read = read.saturating_add(value),
            "Write" => written = written.saturating_add(value),
            _ => {}
        }
    }
    (Some(read), Some(written))
}
