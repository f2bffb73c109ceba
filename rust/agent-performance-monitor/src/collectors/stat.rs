//! Boot time, context switches, forks, interrupts and the run queue, from `/proc/stat`.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "stat",
        collect,
    }
}

const FIELDS: [(&str, &str, &str, Kind); 6] = [
    (
        "btime",
        "node_boot_time_seconds",
        "Node boot time, in unixtime.",
        Kind::Gauge,
    ),
    (
        "ctxt",
        "node_context_switches_total",
        "Total number of context switches.",
        Kind::Counter,
    ),
    (
        "processes",
        "node_forks_total",
        "Total number of forks.",
        Kind::Counter,
    ),
    (
        "intr",
        "node_intr_total",
        "Total number of interrupts serviced.",
        Kind::Counter,
    ),
    (
        "procs_blocked",
        "node_procs_blocked",
        "Number of processes blocked waiting for I/O to complete.",
        Kind::Gauge,
    ),
    (
        "procs_running",
        "node_procs_running",
        "Number of processes in runnable state.",
        Kind::Gauge,
    ),
];

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = host.proc("stat")?;
    let mut values = [None; FIELDS.len()];
    for (number, line) in text.lines() {
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or("");
        if let Some(index) = FIELDS.iter().position(|field| field.0 == key) {
            values[index] = Some(text.number(number, words.next())?);
        }
    }
    for (value, (key, name, help, kind)) in values.iter().zip(FIELDS) {
        let value = value.ok_or_else(|| text.wrong(1, format!("there is no line {key:?}")))?;
        page.single(name, help, kind, Value::Int(value));
    }
    Ok(())
}
