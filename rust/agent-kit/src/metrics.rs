//! A daemon's own figures, kept by prometheus-client and answered in Prometheus's text format 0.0.4.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::{IMPLEMENTATION, ServiceInfo};

/// The registry of one daemon; lock it to register, [`render`] it to answer.
pub type SharedRegistry = Arc<Mutex<Registry>>;

/// The content type of every `/metrics`.
pub const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A registry with `agentcore_service_info` and the process's own figures (`process_*`).
pub fn new_registry(info: ServiceInfo) -> SharedRegistry {
    let mut registry = Registry::default();
    registry.register(
        "agentcore_service",
        "Which implementation of a service answers",
        Info::new(vec![
            ("service", info.name),
            ("implementation", IMPLEMENTATION),
            ("version", info.version),
        ]),
    );
    registry.register_collector(Box::new(ProcessFigures));
    Arc::new(Mutex::new(registry))
}

/// The registry as text, format 0.0.4.
pub fn render(registry: &SharedRegistry) -> String {
    let mut text = String::new();
    let registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
    // Writing to a String doesn't fail; a collector that reports an error is left out by its own hand.
    if prometheus_client::encoding::text::encode(&mut text, &registry).is_err() {
        tracing::warn!("a metric could not be encoded");
    }
    text_0_0_4(&text)
}

/// An answer to `/metrics`.
pub fn metrics_response(text: String) -> Response {
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], text).into_response()
}

/// Turns prometheus-client's `OpenMetrics` text into format 0.0.4, which every Prometheus reads.
///
/// `OpenMetrics` names a counter's family without `_total` and knows types that 0.0.4 refuses
/// (`info`, `unknown`); `# UNIT` and `# EOF` don't exist there.
pub fn text_0_0_4(openmetrics: &str) -> String {
    let mut out = String::with_capacity(openmetrics.len());
    // prometheus-client writes HELP before TYPE, but the type decides the name in both.
    let mut help: Option<(&str, &str)> = None;
    for line in openmetrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "unknown"));
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                "stateset" => ("", "gauge"),
                other => ("", other),
            };
            if let Some((_, text)) = help.take() {
                let _ = writeln!(out, "# HELP {name}{suffix} {text}");
            }
            let _ = writeln!(out, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with("# ") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// What this process costs, under the names every Prometheus client library uses.
#[derive(Debug)]
struct ProcessFigures;

impl Collector for ProcessFigures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        // A figure that can't be read is left out; the others still stand.
        if let Some(own) = OwnFigures::read() {
            let cpu = ConstCounter::new(own.cpu.as_secs_f64());
            let family = encoder.encode_descriptor(
                "process_cpu_seconds",
                "User and system CPU time spent, in seconds",
                None,
                cpu.metric_type(),
            )?;
            cpu.encode(family)?;
            for (name, help, value) in [
                (
                    "process_resident_memory_bytes",
                    "Resident memory in bytes",
                    own.resident_bytes,
                ),
                (
                    "process_virtual_memory_bytes",
                    "Virtual memory in bytes",
                    own.virtual_bytes,
                ),
                ("process_threads", "Threads of the process", own.threads),
            ] {
                gauge(&mut encoder, name, help, value)?;
            }
        }
        if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
            // The listing itself holds one descriptor.
            let open = (entries.count() as f64 - 1.0).max(0.0);
            gauge(
                &mut encoder,
                "process_open_fds",
                "Open file descriptors",
                open,
            )?;
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    value: f64,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    let family = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    gauge.encode(family)
}

struct OwnFigures {
    cpu: Duration,
    resident_bytes: f64,
    virtual_bytes: f64,
    threads: f64,
}

impl OwnFigures {
    /// From /proc/self/{stat,status}: proc(5), fields 14 and 15 in ticks of 1/100 s (`USER_HZ` is 100
    /// on every Linux architecture that we build for).
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let after_name = stat.rsplit_once(") ")?.1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks: u64 =
            fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kib = |key: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let value = line.trim_start_matches(':').split_whitespace().next()?;
            value.parse::<f64>().ok().map(|kib| kib * 1024.0)
        };
        Some(Self {
            cpu: Duration::from_millis(ticks * 10),
            resident_bytes: kib("VmRSS")?,
            virtual_bytes: kib("VmSize")?,
            threads: fields.get(17)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_becomes_the_older_format() {
        let given = "# HELP a_b Bytes.\n# TYPE a_b counter\n# UNIT a_b b\na_b_total 1\n\
                     # HELP i I.\n# TYPE i info\ni_info{x=\"# EOF\"} 1\n\
                     # TYPE u unknown\nu 3\n# EOF\n";
        assert_eq!(
            text_0_0_4(given),
            "# HELP a_b_total Bytes.\n# TYPE a_b_total counter\na_b_total 1\n\
             # HELP i_info I.\n# TYPE i_info gauge\ni_info{x=\"# EOF\"} 1\n\
             # TYPE u untyped\nu 3\n"
        );
    }

    #[test]
    fn own_figures_are_plausible() {
        let own = OwnFigures::read().unwrap();
        assert!(own.resident_bytes > 100_000.0 && own.virtual_bytes > own.resident_bytes);
        assert!(own.threads >= 1.0);
    }
}
