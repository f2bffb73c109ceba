//! The agent's own figures. Labels are bounded: severities, states, kinds of drift, hosts of the scope.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use agent_kit::SharedRegistry;
use agent_security_tools::audit::{Report, Severity, Status};
use agent_security_tools::scan::ScanReport;
use agent_security_tools::snapshot::KINDS;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

type Labels<const N: usize> = [(&'static str, String); N];

/// What `/metrics` shows of audits and scans.
#[derive(Debug, Default)]
pub struct Metrics {
    findings: Family<Labels<2>, Gauge>,
    audited_at: Gauge,
    audit_duration: Gauge<f64, AtomicU64>,
    audits: Counter,
    drift: Family<Labels<1>, Gauge>,
    unused_waivers: Gauge,
    scanned_at: Gauge,
    scan_duration: Gauge<f64, AtomicU64>,
    scan_complete: Gauge,
    probes: Family<Labels<1>, Counter>,
    open_ports: Family<Labels<1>, Gauge>,
    denied: Counter,
}

impl Metrics {
    /// Registers them all.
    pub fn register(registry: &SharedRegistry) -> Self {
        let m = Self::default();
        let mut guard = registry
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let r = &mut *guard;
        let name = |name: &str| format!("agent_security_{name}");
        r.register(
            name("findings"),
            "Findings of the last audit",
            m.findings.clone(),
        );
        r.register(
            name("audit_timestamp_seconds"),
            "When the last audit ended, seconds since 1970; 0 before the first",
            m.audited_at.clone(),
        );
        r.register(
            name("audit_duration_seconds"),
            "How long the last audit took",
            m.audit_duration.clone(),
        );
        r.register(name("audits"), "Audits done", m.audits.clone());
        r.register(
            name("drift"),
            "Changes that the last audit found",
            m.drift.clone(),
        );
        r.register(
            name("unused_waivers"),
            "Waivers that covered nothing in the last audit",
            m.unused_waivers.clone(),
        );
        r.register(
            name("scan_timestamp_seconds"),
            "When the last scan ended, seconds since 1970; 0 before the first",
            m.scanned_at.clone(),
        );
        r.register(
            name("scan_duration_seconds"),
            "How long the last scan took",
            m.scan_duration.clone(),
        );
        r.register(
            name("scan_complete"),
            "1 if the last scan tried every port and none failed locally",
            m.scan_complete.clone(),
        );
        r.register(
            name("scan_probes"),
            "Ports probed, by what was found",
            m.probes.clone(),
        );
        r.register(
            name("scan_open_ports"),
            "Open ports that the last scan of a target found",
            m.open_ports.clone(),
        );
        r.register(
            name("scan_denied"),
            "Scans refused as out of scope",
            m.denied.clone(),
        );
        drop(guard);
        for kind in KINDS {
            m.drift.get_or_create(&[("kind", kind.to_string())]).set(0);
        }
        for state in ["open", "closed", "filtered", "local_error", "skipped"] {
            let _ = m.probes.get_or_create(&[("state", state.to_string())]);
        }
        m
    }

    /// An audit ended.
    pub fn audited(&self, report: &Report, took: Duration) {
        for severity in Severity::ALL {
            for status in Status::ALL {
                let count = report.summary.of(severity).of(status);
                let labels = [
                    ("severity", severity.word().into()),
                    ("status", status.word().into()),
                ];
                self.findings.get_or_create(&labels).set(whole(count));
            }
        }
        for kind in KINDS {
            let count = report
                .drift
                .iter()
                .filter(|drift| drift.kind == *kind)
                .count();
            let gauge = self.drift.get_or_create(&[("kind", kind.to_string())]);
            gauge.set(whole(count as u64));
        }
        self.unused_waivers
            .set(whole(report.unused_waivers.len() as u64));
        self.audited_at.set(whole(report.audited_at));
        self.audit_duration.set(took.as_secs_f64());
        self.audits.inc();
    }

    /// A scan ended; `known` tells the hosts of the scope from other addresses in its networks.
    pub fn scanned(&self, report: &ScanReport, known: impl Fn(&str) -> bool) {
        for target in &report.targets {
            let counts = target.counts;
            for (state, count) in [
                ("open", counts.open),
                ("closed", counts.closed),
                ("filtered", counts.filtered),
                ("local_error", counts.local_error),
                ("skipped", counts.skipped),
            ] {
                self.probes
                    .get_or_create(&[("state", state.to_string())])
                    .inc_by(count);
            }
            if known(&target.name) {
                let gauge = self
                    .open_ports
                    .get_or_create(&[("target", target.name.clone())]);
                gauge.set(whole(counts.open));
            }
        }
        self.scan_complete.set(i64::from(report.complete));
        self.scan_duration.set(report.duration_seconds);
        self.scanned_at.set(whole(report.scanned_at));
    }

    /// A scan was refused.
    pub fn denied(&self) {
        self.denied.inc();
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
