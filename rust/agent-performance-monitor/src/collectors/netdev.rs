//! `node_network_*` counters per interface, from the host's own `/proc/1/net/dev`.
//!
//! `/proc/net` is the reader's network namespace, even below a mounted host procfs; process 1's is
//! the host's. Interfaces of containers (`veth…`) come and go with them and are left out.

use super::Simple;
use crate::CollectError;
use crate::host::{Host, Text};
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "netdev",
        collect,
    }
}

/// The columns in the order of the file; proc(5).
const COLUMNS: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    // With hidepid=2 another user's process 1 isn't there; then our own namespace is all we see.
    let text: Text = match host.proc("1/net/dev") {
        Ok(text) => text,
        Err(_) => host.proc("net/dev")?,
    };
    let mut devices: Vec<(&str, [u64; COLUMNS.len()])> = Vec::new();
    for (number, line) in text.lines().skip(2) {
        let Some((name, figures)) = line.rsplit_once(':') else {
            return Err(text.wrong(number, "expected NAME: and 16 numbers"));
        };
        let name = name.trim();
        if name.starts_with("veth") {
            continue;
        }
        let mut words = figures.split_whitespace();
        let mut values = [0; COLUMNS.len()];
        for slot in &mut values {
            *slot = text.number(number, words.next())?;
        }
        devices.push((name, values));
    }
    for (index, column) in COLUMNS.iter().enumerate() {
        page.family(
            &format!("node_network_{column}_total"),
            &format!("Network device statistic {column}."),
            Kind::Counter,
        );
        for (device, values) in &devices {
            page.sample(&[("device", device)], Value::Int(values[index]));
        }
    }
    Ok(())
}
