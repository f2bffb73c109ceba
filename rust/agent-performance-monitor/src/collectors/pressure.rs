//! Pressure stall information: `/proc/pressure/{cpu,io,irq,memory}`, microseconds since boot.

use super::Simple;
use crate::CollectError;
use crate::host::{Host, Text, parse_number};
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "pressure",
        collect,
    }
}

/// File, its line, metric, help. `cpu` has a `full` line too, which says nothing on a whole host.
const FIGURES: [(&str, &str, &str, &str); 6] = [
    (
        "cpu",
        "some",
        "cpu_waiting",
        "Total time in seconds that processes have waited for CPU time",
    ),
    (
        "io",
        "some",
        "io_waiting",
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    (
        "io",
        "full",
        "io_stalled",
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    (
        "memory",
        "some",
        "memory_waiting",
        "Total time in seconds that processes have waited for memory",
    ),
    (
        "memory",
        "full",
        "memory_stalled",
        "Total time in seconds no process could make progress due to memory congestion",
    ),
    (
        "irq",
        "full",
        "irq_stalled",
        "Total time in seconds no process could make progress due to IRQ congestion",
    ),
];

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let mut last: Option<(&str, Text)> = None;
    for (file, line, metric, help) in FIGURES {
        let text = match last.take() {
            Some((name, text)) if name == file => text,
            _ => match host.proc(&format!("pressure/{file}")) {
                Ok(text) => text,
                // `irq` came with 6.1 and is an option of the kernel.
                Err(CollectError::Read { .. }) if file == "irq" => continue,
                Err(error) => return Err(error.missing_is_no_data()),
            },
        };
        let micros = total(&text, line)?;
        page.single(
            &format!("node_pressure_{metric}_seconds_total"),
            help,
            Kind::Counter,
            Value::Scaled(micros, 6),
        );
        last = Some((file, text));
    }
    Ok(())
}

fn total(text: &Text, wanted: &str) -> Result<u64, CollectError> {
    for (number, line) in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() == Some(wanted) {
            let total = words.find_map(|word| word.strip_prefix("total="));
            return total
                .and_then(parse_number)
                .ok_or_else(|| text.wrong(number, "expected total= with a whole number"));
        }
    }
    Err(text.wrong(1, format!("there is no line {wanted:?}")))
}
