//! `node_load*`, from `/proc/loadavg`.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "loadavg",
        collect,
    }
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = host.proc("loadavg")?;
    let mut words = text.content.split_whitespace();
    for (name, help) in [
        ("node_load1", "1m load average."),
        ("node_load5", "5m load average."),
        ("node_load15", "15m load average."),
    ] {
        let word = words.next().unwrap_or("");
        let digits = word.replacen('.', "", 1);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(text.wrong(1, format!("expected a number, found {word:?}")));
        }
        page.single(name, help, Kind::Gauge, Value::Text(word));
    }
    Ok(())
}
