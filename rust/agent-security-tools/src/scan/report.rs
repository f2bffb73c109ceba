//! The report of a scan: per target, the ports of each state as ranges.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Scan, State};
use crate::audit::Tool;
use crate::{TOOL, VERSION};

/// Ports of one target by state, as `22,80-90`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PortSets {
    /// Accepted the connection.
    pub open: String,
    /// Refused it.
    pub closed: String,
    /// Silent or unreachable.
    pub filtered: String,
    /// Failed on our side.
    pub local_error: String,
    /// Not tried before the deadline.
    pub skipped: String,
}

/// Probes by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ScanCounts {
    /// Accepted the connection.
    pub open: u64,
    /// Refused it.
    pub closed: u64,
    /// Silent or unreachable.
    pub filtered: u64,
    /// Failed on our side.
    pub local_error: u64,
    /// Not tried before the deadline.
    pub skipped: u64,
}

/// What was found of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetReport {
    /// The target's name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Probes by state.
    pub counts: ScanCounts,
    /// Ports by state.
    pub ports: PortSets,
    /// Probes by reason.
    pub reasons: BTreeMap<&'static str, u64>,
}

/// The report of one scan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanReport {
    /// The version of this form.
    pub schema: u32,
    /// `scan`.
    pub kind: &'static str,
    /// What made it.
    pub tool: Tool,
    /// Seconds since 1970.
    pub scanned_at: u64,
    /// Seconds, in thousandths.
    pub duration_seconds: f64,
    /// Every port was tried and none failed on our side.
    pub complete: bool,
    /// By target.
    pub targets: Vec<TargetReport>,
}

/// Writes a scan down.
pub fn report(scan: &Scan, at: u64) -> ScanReport {
    let mut targets = Vec::with_capacity(scan.targets.len());
    let ports = scan.answers.len() / scan.targets.len().max(1);
    for (number, target) in scan.targets.iter().enumerate() {
        let mut counts = ScanCounts::default();
        let mut sets: [Vec<u16>; 5] = Default::default();
        let mut reasons: BTreeMap<&'static str, u64> = BTreeMap::new();
        for answer in &scan.answers[number * ports..(number + 1) * ports] {
            let (set, count) = match answer.state {
                State::Open => (0, &mut counts.open),
                State::Closed => (1, &mut counts.closed),
                State::Filtered => (2, &mut counts.filtered),
                State::LocalError => (3, &mut counts.local_error),
                State::Skipped => (4, &mut counts.skipped),
            };
            sets[set].push(answer.port);
            *count += 1;
            *reasons.entry(answer.reason).or_default() += 1;
        }
        let [open, closed, filtered, local_error, skipped] = sets.map(|ports| ranges(&ports));
        targets.push(TargetReport {
            name: target.name.clone(),
            address: target.address.to_string(),
            counts,
            ports: PortSets {
                open,
                closed,
                filtered,
                local_error,
                skipped,
            },
            reasons,
        });
    }
    let unknown = |target: &TargetReport| target.counts.local_error + target.counts.skipped;
    ScanReport {
        schema: 1,
        kind: "scan",
        tool: Tool {
            name: TOOL.to_string(),
            version: VERSION.to_string(),
        },
        scanned_at: at,
        duration_seconds: (scan.took.as_secs_f64() * 1000.0).round() / 1000.0,
        complete: targets.iter().map(unknown).sum::<u64>() == 0,
        targets,
    }
}

/// Sorted ports as `22,80-90`.
pub fn ranges(ports: &[u16]) -> String {
    let mut text = String::new();
    let mut rest = ports;
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .zip(usize::from(*first)..)
            .take_while(|(port, want)| usize::from(**port) == *want)
            .count();
        if !text.is_empty() {
            text.push(',');
        }
        let _ = match run {
            1 => write!(text, "{first}"),
            _ => write!(text, "{first}-{}", rest[run - 1]),
        };
        rest = &rest[run..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ports_become_ranges() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[7]), "7");
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3,5,7-8");
        assert_eq!(ranges(&[65534, 65535]), "65534-65535");
    }
}
