//! Task queues: leases, priorities, delays, retries, schedules; in a `SQLite` file or in `PostgreSQL`.
//!
//! What the calls promise is written in the contract of the Python package
//! (`agentcore.queue.contract`); both implementations work one file, or one database, at the
//! same time. No clock is read here: `now` is handed in, in milliseconds since 1970.
//!
//! ```
//! use agent_core_utils::queue::{Draft, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(folder.path().join("queue.db").to_str().unwrap_or("queue.db"), true)?;
//! let ids = store.enqueue(1_000, Draft::new("mail", vec![b"hello".to_vec()]))?;
//! let jobs = store.claim(1_000, "mail", 10, 60_000, &[])?;
//! assert_eq!(jobs[0].id, ids[0]);
//! assert!(store.ack(1_001, &jobs[0].handle(), None)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admin;
mod cron;
mod db;
mod engine;
mod job;
mod postgres;
mod postgres_url;
mod sqlite;
mod store;

pub use cron::Cron;
pub use job::{Draft, Error, Handle, Info, Leased, Settings, State};
pub use store::Store;

/// The most that a failed attempt waits by its backoff, in milliseconds.
pub const BACKOFF_CAP_MS: i64 = 3_600_000;
/// Priorities go from its negative to it.
pub const MAX_PRIORITY: i64 = 100;
/// The schema that this release reads and writes.
pub const SCHEMA_VERSION: i64 = 1;

/// How long a failed attempt waits, in milliseconds; `jitter` takes up to half of it.
#[allow(clippy::cast_possible_truncation)] // at most half an hour
pub fn backoff_ms(base_ms: i64, attempt: i64, jitter: f64) -> i64 {
    let doublings = attempt.saturating_sub(1).clamp(0, 40);
    let full = i128::from(base_ms) << doublings;
    let full = full.min(i128::from(BACKOFF_CAP_MS)) as i64;
    let jitter = jitter.clamp(0.0, 1.0);
    full - (full as f64 * 0.5 * jitter).floor() as i64
}
