//! `node_vmstat_*`: paging, faults and kills from `/proc/vmstat`, untyped as in `node_exporter`.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "vmstat",
        collect,
    }
}

/// `node_exporter`'s default selection, `^(oom_kill|pgpg|pswp|pg.*fault).*`.
fn wanted(field: &str) -> bool {
    field.starts_with("oom_kill")
        || field.starts_with("pgpg")
        || field.starts_with("pswp")
        || (field.starts_with("pg") && field.contains("fault"))
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = host.proc("vmstat")?;
    for (number, line) in text.lines() {
        let mut words = line.split_whitespace();
        let Some(field) = words.next() else { continue };
        if wanted(field) {
            page.single(
                &format!("node_vmstat_{field}"),
                &format!("/proc/vmstat information field {field}."),
                Kind::Untyped,
                Value::Int(text.number(number, words.next())?),
            );
        }
    }
    Ok(())
}
