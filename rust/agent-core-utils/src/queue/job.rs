//! What goes in and out: drafts, leases, what is known of a job, and what can be wrong.

use std::fmt;
use std::str::FromStr;

/// Why a call of the queue did nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is not acceptable.
    #[error("{0}")]
    Value(String),
    /// The file or the database can not be used.
    #[error("{place}: {what}; expected {expected}")]
    Database {
        /// What is wrong.
        what: String,
        /// Which file or database.
        place: String,
        /// What would be right; may be empty.
        expected: String,
        /// Rolled back by the database for reasons that pass: may be tried again.
        again: bool,
    },
}

impl Error {
    pub(crate) fn database(what: impl Into<String>, place: &str, expected: &str) -> Self {
        Self::Database {
            what: what.into(),
            place: place.to_owned(),
            expected: expected.to_owned(),
            again: false,
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Jobs to enqueue that differ only in their payload. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The queue's name.
    pub queue: String,
    /// One job each.
    pub payloads: Vec<Vec<u8>>,
    /// From -100 to 100, the highest first.
    pub priority: i64,
    /// How long to wait first.
    pub delay: i64,
    /// No second unfinished job of this key.
    pub key: Option<String>,
    /// Leases after which the job is dead.
    pub max_attempts: i64,
    /// The first failure's wait.
    pub backoff: i64,
    /// How long to keep the job once it is done or cancelled.
    pub keep: i64,
}

impl Draft {
    /// Jobs with the default options.
    pub fn new(queue: &str, payloads: Vec<Vec<u8>>) -> Self {
        Self {
            queue: queue.to_owned(),
            payloads,
            priority: 0,
            delay: 0,
            key: None,
            max_attempts: 5,
            backoff: 1000,
            keep: 0,
        }
    }
}

/// A leased job.
#[derive(Debug, Clone)]
pub struct Leased {
    /// Its number.
    pub id: i64,
    /// Which lease of the job this is.
    pub lease: i64,
    /// Which attempt this is.
    pub attempt: i64,
    /// The last attempt.
    pub max_attempts: i64,
    /// How long it is kept, in milliseconds.
    pub keep: i64,
    /// Its key.
    pub key: Option<String>,
    /// What it is about.
    pub payload: Vec<u8>,
}

impl Leased {
    /// What it is reported by.
    pub fn handle(&self) -> Handle {
        Handle {
            id: self.id,
            lease: self.lease,
            keep: self.keep,
            key: self.key.clone(),
        }
    }
}

/// What a leased job is acknowledged, failed and extended by.
#[derive(Debug, Clone)]
pub struct Handle {
    /// The job's number.
    pub id: i64,
    /// Which lease of it.
    pub lease: i64,
    /// How long it is kept, in milliseconds.
    pub keep: i64,
    /// Its key.
    pub key: Option<String>,
}

/// Where a job is; numbered as in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Waits for its time.
    Delayed = 0,
    /// May be claimed.
    Ready = 1,
    /// Leased.
    Running = 2,
    /// Acknowledged, and kept.
    Done = 3,
    /// Out of attempts, or buried.
    Dead = 4,
    /// Cancelled, and kept.
    Cancelled = 5,
}

impl State {
    /// All of them, by number.
    pub const ALL: [Self; 6] = [
        Self::Delayed,
        Self::Ready,
        Self::Running,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        ["delayed", "ready", "running", "done", "dead", "cancelled"][self as usize]
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::Value(format!("state must be one of {known}, got '{name}'"))
        })
    }
}

/// What is known of a job. Times in milliseconds since 1970.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the contract's JobInfo names the same
pub struct Info {
    pub id: i64,
    pub queue: String,
    pub state: State,
    pub priority: i64,
    pub attempts: i64,
    pub max_attempts: i64,
    pub lease: i64,
    pub created: i64,
    pub due: Option<i64>,
    pub key: Option<String>,
    pub error: Option<String>,
    pub payload: Vec<u8>,
    pub result: Option<Vec<u8>>,
}

/// A queue's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The queue.
    pub name: String,
    /// Hands out nothing.
    pub paused: bool,
    /// The most leases at one time.
    pub concurrency: Option<i64>,
    /// Microseconds between two leases.
    pub interval_us: Option<i64>,
    /// Leases that may come at once.
    pub burst: i64,
}
