//! `node_memory_*`, every field of `/proc/meminfo`.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "meminfo",
        collect,
    }
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = host.proc("meminfo")?;
    for (number, line) in text.lines() {
        let mut words = line.split_whitespace();
        let Some(field) = words.next() else { continue };
        let value = text.number(number, words.next())?;
        // `Active(anon):` is node_memory_Active_anon_bytes; counts of pages have no unit.
        let mut field = field.trim_end_matches(':').replace('(', "_").replace(')', "");
        let value = match words.next() {
            None => value,
            Some("kB") => {
                field.push_str("_bytes");
                value.saturating_mul(1024)
            }
            Some(unit) => return Err(text.wrong(number, format!("unknown unit {unit:?}"))),
        };
        page.single(
            &format!("node_memory_{field}"),
            &format!("Memory information field {field}."),
            Kind::Gauge,
            Value::Int(value),
        );
    }
    Ok(())
}
