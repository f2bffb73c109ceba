//! Containers under cAdvisor's names, read from their cgroups (version 1 and 2).
//!
//! `id` is the cgroup's path. `name` and `image` come from Docker's own record of the container
//! when it can be read (it belongs to root); otherwise `name` is the container's id.

mod cgroup_v1;
mod cgroup_v2;
mod find;

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};
use find::{Container, LIMIT, find};

pub(super) fn collector() -> Simple {
    Simple {
        name: "containers",
        collect,
    }
}

/// One container's figures; what its kernel or its cgroup doesn't have is `None`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Usage {
    cpu_nanos: Option<u64>,
    cpu_user_nanos: Option<u64>,
    cpu_system_nanos: Option<u64>,
    cfs_periods: Option<u64>,
    cfs_throttled_periods: Option<u64>,
    cfs_throttled_nanos: Option<u64>,
    memory_bytes: Option<u64>,
    memory_inactive_file_bytes: Option<u64>,
    memory_rss_bytes: Option<u64>,
    memory_cache_bytes: Option<u64>,
    /// 0 if there is no limit, as in cAdvisor.
    memory_limit_bytes: Option<u64>,
    oom_kills: Option<u64>,
    threads: Option<u64>,
    threads_limit: Option<u64>,
    fs_read_bytes: Option<u64>,
    fs_written_bytes: Option<u64>,
}

impl Usage {
    /// What the kernel can't simply take back; cAdvisor's and kubelet's definition.
    fn working_set(&self) -> Option<u64> {
        let inactive = self.memory_inactive_file_bytes.unwrap_or(0);
        self.memory_bytes.map(|used| used.saturating_sub(inactive))
    }

    /// A container that ended between the listing and the reading has no figures at all.
    fn is_gone(&self) -> bool {
        self.cpu_nanos.is_none() && self.memory_bytes.is_none() && self.threads.is_none()
    }
}

type Figure = fn(&Usage) -> Option<u64>;

/// Metric, help, type, decimals, figure.
const FIGURES: [(&str, &str, Kind, u32, Figure); 16] = [
    (
        "cpu_cfs_periods_total",
        "Number of elapsed enforcement period intervals.",
        Kind::Counter,
        0,
        |usage| usage.cfs_periods,
    ),
    (
        "cpu_cfs_throttled_periods_total",
        "Number of throttled period intervals.",
        Kind::Counter,
        0,
        |usage| usage.cfs_throttled_periods,
    ),
    (
        "cpu_cfs_throttled_seconds_total",
        "Total time duration the container has been throttled.",
        Kind::Counter,
        9,
        |usage| usage.cfs_throttled_nanos,
    ),
    (
        "cpu_system_seconds_total",
        "Cumulative system cpu time consumed in seconds.",
        Kind::Counter,
        9,
        |usage| usage.cpu_system_nanos,
    ),
    (
        "cpu_usage_seconds_total",
        "Cumulative cpu time consumed in seconds.",
        Kind::Counter,
        9,
        |usage| usage.cpu_nanos,
    ),
    (
        "cpu_user_seconds_total",
        "Cumulative user cpu time consumed in seconds.",
        Kind::Counter,
        9,
        |usage| usage.cpu_user_nanos,
    ),
    (
        "fs_reads_bytes_total",
        "Cumulative count of bytes read",
        Kind::Counter,
        0,
        |usage| usage.fs_read_bytes,
    ),
    (
        "fs_writes_bytes_total",
        "Cumulative count of bytes written",
        Kind::Counter,
        0,
        |usage| usage.fs_written_bytes,
    ),
    (
        "memory_cache",
        "Number of bytes of page cache memory.",
        Kind::Gauge,
        0,
        |usage| usage.memory_cache_bytes,
    ),
    (
        "memory_rss",
        "Size of RSS in bytes.",
        Kind::Gauge,
        0,
        |usage| usage.memory_rss_bytes,
    ),
    (
        "memory_usage_bytes",
        "Current memory usage in bytes, including all memory regardless of when it was accessed",
        Kind::Gauge,
        0,
        |usage| usage.memory_bytes,
    ),
    (
        "memory_working_set_bytes",
        "Current working set in bytes.",
        Kind::Gauge,
        0,
        Usage::working_set,
    ),
    (
        "oom_events_total",
        "Count of out of memory events observed for the container",
        Kind::Counter,
        0,
        |usage| usage.oom_kills,
    ),
    (
        "spec_memory_limit_bytes",
        "Memory limit for the container.",
        Kind::Gauge,
        0,
        |usage| usage.memory_limit_bytes,
    ),
    (
        "threads",
        "Number of threads running inside the container",
        Kind::Gauge,
        0,
        |usage| usage.threads,
    ),
    (
        "threads_max",
        "Maximum number of threads allowed inside the container, infinity if value is zero",
        Kind::Gauge,
        0,
        |usage| usage.threads_limit,
    ),
];

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let found = find(host)?;
    let mut containers: Vec<(Container, Usage)> = Vec::new();
    for container in found.containers {
        let usage = match found.version {
            1 => cgroup_v1::read(&found.root, &container.id),
            _ => cgroup_v2::read(&found.root, &container.id),
        };
        if !usage.is_gone() {
            containers.push((container, usage));
        }
    }
    if found.truncated {
        page.warn(format!("more than {LIMIT} containers; the rest is left out"));
    }
    for (name, help, kind, decimals, figure) in FIGURES {
        if !containers.iter().any(|(_, usage)| figure(usage).is_some()) {
            continue;
        }
        page.family(&format!("container_{name}"), help, kind);
        for (container, usage) in &containers {
            if let Some(value) = figure(usage) {
                page.sample(&container.labels(), Value::Scaled(value, decimals));
            }
        }
    }
    if !containers.is_empty() {
        page.family(
            "container_last_seen",
            "Last time a container was seen by the exporter",
            Kind::Gauge,
        );
        for (container, _) in &containers {
            page.sample(
                &container.labels(),
                Value::Int(host.now_micros() / 1_000_000),
            );
        }
    }
    page.single(
        "container_scrape_error",
        "1 if there was an error while getting container metrics, 0 otherwise",
        Kind::Gauge,
        Value::Int(u64::from(found.truncated)),
    );
    Ok(())
}

/// A file's only number; `max` is 0. `None` if it can't be read or isn't a number.
fn number_in(path: &std::path::Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    match text.trim() {
        "max" => Some(0),
        word => crate::host::parse_number(word),
    }
}

/// A file of `key value` lines.
fn keyed(path: &std::path::Path) -> impl Fn(&str) -> Option<u64> + use<> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    move |wanted| {
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(key, _)| *key == wanted)
            .and_then(|(_, value)| crate::host::parse_number(value.trim()))
    }
}
