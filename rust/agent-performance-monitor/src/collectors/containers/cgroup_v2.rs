//! cgroup version 2: one tree for all controllers (Documentation/admin-guide/cgroup-v2.rst).

use std::path::Path;

use super::{Usage, keyed, number_in};

pub(super) fn read(root: &Path, id: &str) -> Usage {
    let file = |name: &str| root.join(&id[1..]).join(name);
    let cpu = keyed(&file("cpu.stat"));
    let memory = keyed(&file("memory.stat"));
    let events = keyed(&file("memory.events"));
    let (read, written) = io(&file("io.stat"));
    let micros = |key| cpu(key).map(|micros| micros.saturating_mul(1000));
    Usage {
        cpu_nanos: micros("usage_usec"),
        cpu_user_nanos: micros("user_usec"),
        cpu_system_nanos: micros("system_usec"),
        cfs_periods: cpu("nr_periods"),
        cfs_throttled_periods: cpu("nr_throttled"),
        cfs_throttled_nanos: micros("throttled_usec"),
        memory_bytes: number_in(&file("memory.current")),
        memory_inactive_file_bytes: memory("inactive_file"),
        memory_rss_bytes: memory("anon"),
        memory_cache_bytes: memory("file"),
        memory_limit_bytes: number_in(&file("memory.max")),
        oom_kills: events("oom_kill"),
        threads: number_in(&file("pids.current")),
        threads_limit: number_in(&file("pids.max")),
        fs_read_bytes: read,
        fs_written_bytes: written,
    }
}

/// Lines `254:0 rbytes=4096 wbytes=0 rios=1 …`; the sum over the devices.
fn io(path: &Path) -> (Option<u64>, Option<u64>) {
    let Ok(text) = std::fs::read_to_string(path) else {
        return (None, None);
    };
    let sum = |key: &str| {
        text.split_whitespace()
            .filter_map(|word| word.strip_prefix(key))
            .filter_map(crate::host::parse_number)
            .fold(0, u64::saturating_add)
    };
    (Some(sum("rbytes=")), Some(sum("wbytes=")))
}
