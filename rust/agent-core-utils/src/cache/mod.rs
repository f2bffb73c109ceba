//! Bounded caches: LRU and S3-FIFO, with a time to live per cache and per entry.
//!
//! [`Store`] holds entries by hash and leaves equality to its caller, in two steps, so that a
//! caller whose equality runs foreign code (Python's `__eq__`) need not hold a lock or a
//! borrow meanwhile. [`Cache`] is the same for ordinary Rust keys. Time is a number of
//! seconds that the caller passes in; nothing here reads a clock.

mod ghost;
mod map;
mod queue;
mod store;

pub use map::Cache;
pub use store::{Found, MAXSIZE_LIMIT, Match, Outcome, Stats, Store, Ticket, checked_ttl};

use crate::Error;
use std::str::FromStr;

/// Which entry goes when the cache is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// A small, a main and a ghost queue; resists scans. "FIFO queues are all you need for
    /// cache eviction", SOSP 2023.
    #[default]
    S3Fifo,
    /// The least recently used.
    Lru,
}

impl FromStr for Policy {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "s3fifo" => Ok(Self::S3Fifo),
            "lru" => Ok(Self::Lru),
            other => Err(Error::Policy(other.to_owned())),
        }
    }
}
