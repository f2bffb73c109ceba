//! A friendly look at the machine, for programs rather than for Prometheus; by `sysinfo`.
//!
//! It sees what the process sees: in a container, the container's network. Disks are left out, as
//! `sysinfo` asks them without a deadline.

use std::collections::BTreeMap;
use std::time::Duration;

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, Networks, System};

/// The machine at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The host's name.
    pub hostname: String,
    /// The kernel's release, for example `6.1.0-26-amd64`.
    pub kernel: String,
    /// Seconds since the boot.
    pub uptime_seconds: u64,
    /// The boot, seconds since 1970.
    pub boot_time_seconds: u64,
    /// Processors that are online.
    pub cpu_count: usize,
    /// How busy they are together, 0 to 100; `None` without an interval.
    pub cpu_percent: Option<f64>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: (f64, f64, f64),
    /// Memory of the machine.
    pub memory_total_bytes: u64,
    /// Memory that programs could have without swapping.
    pub memory_available_bytes: u64,
    /// Total without available.
    pub memory_used_bytes: u64,
    /// Swap space.
    pub swap_total_bytes: u64,
    /// Unused swap space.
    pub swap_free_bytes: u64,
    /// The network interfaces by name.
    pub networks: BTreeMap<String, Network>,
}

/// The machine could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot look at the machine: {0}")]
pub struct SnapshotError(#[from] sysinfo::Error);

/// One network interface since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes sent.
    pub transmitted_bytes: u64,
}

/// Looks at the machine. With an interval it waits that long to see how busy the processors are;
/// `sysinfo` wants 200 ms at least, so a shorter one becomes that.
///
/// # Errors
/// When the kernel's files can't be read.
pub fn snapshot(interval: Duration) -> Result<Snapshot, SnapshotError> {
    let mut system = System::new()?;
    system.refresh_memory_specifics(MemoryRefreshKind::everything());
    system.refresh_cpu_list(CpuRefreshKind::nothing().with_usage());
    let cpu_percent = (!interval.is_zero()).then(|| {
        std::thread::sleep(interval.max(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL));
        system.refresh_cpu_usage();
        f64::from(system.global_cpu_usage())
    });
    let load = System::load_average()?;
    let networks = Networks::new_with_refreshed_list()?
        .iter()
        .map(|(name, data)| {
            let figures = Network {
                received_bytes: data.total_received(),
                transmitted_bytes: data.total_transmitted(),
            };
            (name.to_string_lossy().into_owned(), figures)
        })
        .collect();
    Ok(Snapshot {
        hostname: System::host_name().unwrap_or_default(),
        kernel: System::kernel_version().unwrap_or_default(),
        uptime_seconds: System::uptime()?,
        boot_time_seconds: System::boot_time()?,
        cpu_count: system.cpus().len(),
        cpu_percent,
        load: (load.one, load.five, load.fifteen),
        memory_total_bytes: system.total_memory(),
        memory_available_bytes: system.available_memory(),
        memory_used_bytes: system.used_memory(),
        swap_total_bytes: system.total_swap(),
        swap_free_bytes: system.free_swap(),
        networks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_plausible() {
        let seen = snapshot(Duration::from_millis(1)).unwrap();
        assert!(seen.cpu_count > 0 && seen.memory_total_bytes > 1 << 20);
        assert!(seen.memory_used_bytes <= seen.memory_total_bytes);
        assert!(
            seen.cpu_percent
                .is_some_and(|percent| (0.0..=100.0).contains(&percent))
        );
        assert!(seen.networks.contains_key("lo"));
        assert!(seen.boot_time_seconds > 1_000_000_000);
        assert_eq!(snapshot(Duration::ZERO).unwrap().cpu_percent, None);
    }
}
