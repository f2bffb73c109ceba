//! What the engine asks of a database.

use super::job::{Error, Handle, Leased, Result};
use std::collections::HashMap;

/// The number of a queue stands in an id's bits from here on.
pub(crate) const QUEUE_SHIFT: u32 = 48;
/// The priority stands, turned around, in the eight bits from here on.
pub(crate) const LANE_SHIFT: u32 = 40;
/// The last row of a lane, in which `SQLite` counts.
pub(crate) const SENTINEL: i64 = (1 << LANE_SHIFT) - 1;
/// What both job tables share.
pub(crate) const COLUMNS: &str =
    "lease, attempts, max_attempts, backoff, keep, created, key, payload, error";

/// An argument of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg<'a> {
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    Null,
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: Into<Arg<'a>>> From<Option<T>> for Arg<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The arguments of a statement: `args![id, name]`.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::queue::db::Arg::from($value)),*] };
}
pub(crate) use args;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    Null,
}

/// A row, taken apart from the left.
pub(crate) struct Row(pub(crate) std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    fn wrong(found: Option<&Value>) -> Error {
        Error::database(
            format!("unexpected value {found:?}"),
            "a row",
            "this schema",
        )
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        match self.0.next() {
            Some(Value::Int(value)) => Ok(value),
            other => Err(Self::wrong(other.as_ref())),
        }
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>> {
        match self.0.next() {
            Some(Value::Int(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            other => Err(Self::wrong(other.as_ref())),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.maybe_text()?.ok_or_else(|| Self::wrong(None))
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>> {
        match self.0.next() {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            other => Err(Self::wrong(other.as_ref())),
        }
    }

    pub(crate) fn blob(&mut self) -> Result<Vec<u8>> {
        self.maybe_blob()?.ok_or_else(|| Self::wrong(None))
    }

    pub(crate) fn maybe_blob(&mut self) -> Result<Option<Vec<u8>>> {
        match self.0.next() {
            Some(Value::Blob(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            other => Err(Self::wrong(other.as_ref())),
        }
    }

    /// The columns that a claim returns.
    pub(crate) fn leased(&mut self) -> Result<Leased> {
        Ok(Leased {
            id: self.int()?,
            lease: self.int()?,
            attempt: self.int()?,
            max_attempts: self.int()?,
            keep: self.int()?,
            key: self.maybe_text()?,
            payload: self.blob()?,
        })
    }
}

/// An open transaction.
pub(crate) trait Tx {
    /// Ends a SELECT whose locked rows are left to others.
    fn skip(&self) -> &'static str;
    /// Ends a SELECT that waits for locked rows.
    fn lock(&self) -> &'static str;
    /// The numbers of the queues that are known.
    fn names(&mut self) -> &mut HashMap<String, i64>;
    /// Runs one statement with `?` for each argument; returns its rows.
    fn run(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>>;
    /// Runs one statement; returns how many rows it changed.
    fn count(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64>;
    /// New sequence numbers of a lane.
    fn sequence(&mut self, lane: i64, count: usize) -> Result<Vec<i64>>;
    /// Moves ready jobs to `held` as running, in order.
    fn take(&mut self, queue: i64, limit: i64, deadline: i64) -> Result<Vec<Leased>>;
    /// Finishes leased jobs well; returns how many leases were still their own.
    fn ack_many(&mut self, now: i64, jobs: &[Handle]) -> Result<usize>;
    /// Wakes those who wait, once this is committed.
    fn notify(&mut self) -> Result<()> {
        Ok(())
    }
}
