//! Open files of the whole host, from `/proc/sys/fs/file-nr`.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "filefd",
        collect,
    }
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = host.proc("sys/fs/file-nr")?;
    let words: Vec<&str> = text.content.split_whitespace().collect();
    for (index, what) in [(0, "allocated"), (2, "maximum")] {
        page.single(
            &format!("node_filefd_{what}"),
            &format!("File descriptor statistics: {what}."),
            Kind::Gauge,
            Value::Int(text.number(1, words.get(index).copied())?),
        );
    }
    Ok(())
}
