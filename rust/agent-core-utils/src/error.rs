//! What can be wrong with what a caller hands in. Nothing else in this crate fails.

/// An argument that is not acceptable; the wording is the Python twin's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A cache was asked to hold no entry, or more than its links can count.
    #[error("maxsize must be from 1 to {limit}, got {got}")]
    Maxsize {
        /// The most entries possible.
        limit: usize,
        /// What was asked for.
        got: usize,
    },
    /// A policy that does not exist.
    #[error("policy must be 's3fifo', 'lru', 'lfu' or 'auto', got '{0}'")]
    Policy(String),
    /// A cache was asked to hold no weight, or more than can be counted.
    #[error("maxweight must be from 1 to {limit}, got {got}")]
    Maxweight {
        /// The most weight possible.
        limit: u64,
        /// What was asked for.
        got: u64,
    },
    /// A time to live or to idle that is not finite and above zero.
    #[error("{name} must be a positive number of seconds or None, got {got}")]
    Ttl {
        /// What the time is called.
        name: &'static str,
        /// What was asked for.
        got: String,
    },
    /// A search pattern without characters, which would match everywhere.
    #[error("patterns[{0}] is empty")]
    EmptyPattern(usize),
    /// More patterns, or longer ones, than the matcher accepts.
    #[error("too many patterns: at most {limit} {unit}, got {got}")]
    TooManyPatterns {
        /// The bound.
        limit: usize,
        /// What is counted: patterns or bytes.
        unit: &'static str,
        /// What was asked for.
        got: usize,
    },
    /// A way of matching that does not exist.
    #[error("kind must be 'leftmost' or 'overlapping', got '{0}'")]
    MatchKind(String),
    /// A kind of sensitive text that does not exist.
    #[error("unknown kind '{got}'; known are {known}")]
    RedactKind {
        /// What was asked for.
        got: String,
        /// The names that exist, separated by commas.
        known: String,
    },
    /// The matcher could not be built within its memory bound.
    #[error("the patterns can not be compiled: {0}")]
    Build(String),
    /// A regular expression that is malformed or too large.
    #[error("the expression can not be compiled: {0}")]
    Expression(String),
}
