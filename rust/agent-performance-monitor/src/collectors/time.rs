//! `node_time_seconds`: the host's clock, to compare with Prometheus's own.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "time",
        collect,
    }
}

#[allow(clippy::unnecessary_wraps)] // the signature of every collector
fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    page.single(
        "node_time_seconds",
        "System time in seconds since epoch (1970).",
        Kind::Gauge,
        Value::Scaled(host.now_micros(), 6),
    );
    Ok(())
}
