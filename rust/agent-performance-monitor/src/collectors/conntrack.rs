//! Tracked connections and their limit, where the kernel tracks them.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "conntrack",
        collect,
    }
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    for (file, name, help) in [
        (
            "nf_conntrack_count",
            "node_nf_conntrack_entries",
            "Number of currently allocated flow entries for connection tracking.",
        ),
        (
            "nf_conntrack_max",
            "node_nf_conntrack_entries_limit",
            "Maximum size of connection tracking table.",
        ),
    ] {
        let text = host
            .proc(&format!("sys/net/netfilter/{file}"))
            .map_err(CollectError::missing_is_no_data)?;
        page.single(name, help, Kind::Gauge, Value::Int(text.only_number()?));
    }
    Ok(())
}
