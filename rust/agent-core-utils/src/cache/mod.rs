//! Bounded caches: LRU, S3-FIFO and LFU, bounded by entries and weight, with times and labels.
//!
//! [`Store`] holds entries by tag, 32 bits of a key's hash, and leaves equality to its caller,
//! in steps, so that a caller whose equality runs foreign code (Python's `__eq__`) need not
//! hold a lock or a borrow meanwhile. [`Cache`] is the same for ordinary Rust keys. Time is a
//! number of seconds that the caller passes in; nothing here reads a clock.

mod bounds;
mod ghost;
mod map;
mod policy;
mod pulse;
mod queue;
mod store;
mod table;
mod tags;

pub use bounds::{Bounds, MAXSIZE_LIMIT, MAXWEIGHT_LIMIT, checked_ttl};
pub use map::Cache;
pub use store::{Found, Gone, Match, Saved, Stats, Store, Terms, tag_of_hash};

use crate::Error;
use bounds::S3Fifo;
use std::str::FromStr;

const LFU_HISTORY: usize = 2; // evicted keys, in entries, whose frequency is remembered

/// Which entry goes when the cache is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// A small, a main and a ghost queue; resists scans. "FIFO queues are all you need for
    /// cache eviction", SOSP 2023.
    #[default]
    S3Fifo,
    /// The least recently used.
    Lru,
    /// The less frequently used of two: the oldest of a window of new entries, and the oldest
    /// of the proven ones. As W-TinyLFU, with exact counts in place of a sketch, and a window
    /// that grows to a half where recency would serve better.
    Lfu,
    /// The same with a window that may grow to nearly all: LFU where that serves best, LRU
    /// where that does, and between them.
    Auto,
}

impl FromStr for Policy {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "s3fifo" => Ok(Self::S3Fifo),
            "lru" => Ok(Self::Lru),
            "lfu" => Ok(Self::Lfu),
            "auto" => Ok(Self::Auto),
            other => Err(Error::Policy(other.to_owned())),
        }
    }
}
