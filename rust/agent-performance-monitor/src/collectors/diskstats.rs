//! `node_disk_*`, from `/proc/diskstats` (Documentation/admin-guide/iostats.rst of the kernel).

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "diskstats",
        collect,
    }
}

/// What a column counts.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    /// 512 bytes each, whatever the disk's own sectors are.
    Sectors,
    Millis,
}

/// Metric, help, unit, type; in the order of the file's columns after the device's name.
const COLUMNS: [(&str, &str, Unit, Kind); 17] = [
    (
        "reads_completed_total",
        "The total number of reads completed successfully.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "reads_merged_total",
        "The total number of reads merged.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "read_bytes_total",
        "The total number of bytes read successfully.",
        Unit::Sectors,
        Kind::Counter,
    ),
    (
        "read_time_seconds_total",
        "The total number of seconds spent by all reads.",
        Unit::Millis,
        Kind::Counter,
    ),
    (
        "writes_completed_total",
        "The total number of writes completed successfully.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "writes_merged_total",
        "The number of writes merged.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "written_bytes_total",
        "The total number of bytes written successfully.",
        Unit::Sectors,
        Kind::Counter,
    ),
    (
        "write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
        Unit::Millis,
        Kind::Counter,
    ),
    (
        "io_now",
        "The number of I/Os currently in progress.",
        Unit::Count,
        Kind::Gauge,
    ),
    (
        "io_time_seconds_total",
        "Total seconds spent doing I/Os.",
        Unit::Millis,
        Kind::Counter,
    ),
    (
        "io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        Unit::Millis,
        Kind::Counter,
    ),
    (
        "discards_completed_total",
        "The total number of discards completed successfully.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "discards_merged_total",
        "The total number of discards merged.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "discarded_sectors_total",
        "The total number of sectors discarded successfully.",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        Unit::Millis,
        Kind::Counter,
    ),
    (
        "flush_requests_total",
        "The total number of flush requests completed successfully",
        Unit::Count,
        Kind::Counter,
    ),
    (
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        Unit::Millis,
        Kind::Counter,
    ),
];

/// Columns that every kernel since 2.6.25 has; later ones may be missing.
const ALWAYS: usize = 11;

/// `node_exporter`'s default exclusion: RAM disks, loops, floppies and partitions,
/// `^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`.
fn excluded(device: &str) -> bool {
    let stem = device.trim_end_matches(|char: char| char.is_ascii_digit());
    if stem.len() == device.len() {
        return false;
    }
    if matches!(stem, "ram" | "zram" | "loop" | "fd") {
        return true;
    }
    for prefix in ["hd", "sd", "vd", "xvd"] {
        if let Some(letter) = stem.strip_prefix(prefix) {
            return letter.len() == 1 && letter.as_bytes()[0].is_ascii_lowercase();
        }
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    stem.strip_prefix("nvme")
        .and_then(|rest| rest.strip_suffix('p'))
        .and_then(|rest| rest.split_once('n'))
        .is_some_and(|(controller, space)| digits(controller) && digits(space))
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = host.proc("diskstats")?;
    let mut disks: Vec<(&str, Vec<u64>)> = Vec::new();
    for (number, line) in text.lines() {
        let mut words = line.split_whitespace().skip(2);
        let Some(device) = words.next() else {
            return Err(text.wrong(number, "expected MAJOR MINOR NAME and numbers"));
        };
        if excluded(device) {
            continue;
        }
        let values = words
            .take(COLUMNS.len())
            .map(|word| text.number(number, Some(word)))
            .collect::<Result<Vec<u64>, _>>()?;
        if values.len() < ALWAYS {
            return Err(text.wrong(number, "a number is missing"));
        }
        disks.push((device, values));
    }
    for (index, (name, help, unit, kind)) in COLUMNS.into_iter().enumerate() {
        if !disks.iter().any(|(_, values)| values.len() > index) {
            continue;
        }
        page.family(&format!("node_disk_{name}"), help, kind);
        for (device, values) in &disks {
            let Some(&value) = values.get(index) else {
                continue;
            };
            let value = match unit {
                Unit::Count => Value::Int(value),
                Unit::Sectors => Value::Int(value.saturating_mul(512)),
                Unit::Millis => Value::Scaled(value, 3),
            };
            page.sample(&[("device", device)], value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::excluded;

    #[test]
    fn partitions_and_ram_disks_are_left_out() {
        for device in ["ram0", "zram3", "loop12", "fd0", "sda1", "xvdb2", "nvme0n1p3", "vdz9"] {
            assert!(excluded(device), "{device}");
        }
        for device in ["sda", "vda", "nvme0n1", "dm-0", "md127", "sr0", "mmcblk0p1", "nbd0", "sdaa1", "1"] {
            assert!(!excluded(device), "{device}");
        }
    }
}
