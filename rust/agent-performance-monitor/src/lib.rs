//! Host and container metrics under `node_exporter`'s and cAdvisor's names, a system snapshot and
//! benchmark statistics.
//!
//! The crate reads `/proc`, `/sys` and `statvfs` and nothing else; it opens no socket and starts no
//! process. [`Monitor::collect`] gives a page in Prometheus's text format 0.0.4; a collector that
//! fails costs its own metrics only. The Python twin, `agentcore.performance.twin`, renders the same
//! bytes for the same tree.
//!
//! To add a collector: write `src/collectors/<name>.rs` with a `collector()` function, add its name
//! to the list in `src/collectors/mod.rs`, do the same in the twin, extend the recorded tree.

mod benchmark;
mod collectors;
mod error;
mod host;
mod monitor;
mod page;
mod promtext;
mod snapshot;
mod statter;

pub use benchmark::{BenchmarkError, Statistics, benchmark, statistics};
pub use error::CollectError;
pub use host::{Capacity, Paths, Recording};
pub use monitor::{Failure, Monitor, Scrape, SelectionError};
pub use page::{Kind, Page, Value};
pub use snapshot::{Network, Snapshot, SnapshotError, snapshot};
