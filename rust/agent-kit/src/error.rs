//! The two ways a daemon ends badly: it was told something wrong (exit 64), or something failed (1).

use std::fmt;

/// A configuration that is refused: what was wrong, where, and what would be right. Exit status 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, for example `cannot be read: permission denied`.
    pub what: String,
    /// Where: the flag with its value, or the file.
    pub place: String,
    /// What would be right.
    pub expected: String,
}

impl ConfigError {
    /// Builds the error from its three parts: what, where, what would be right.
    pub fn new(
        what: impl Into<String>,
        place: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            place: place.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}; expected {}",
            self.place, self.what, self.expected
        )
    }
}

impl std::error::Error for ConfigError {}

/// Why a daemon could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong (exit status 64).
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The listening address could not be taken (exit status 1).
    #[error("cannot listen on {listen}: {source}")]
    Bind {
        /// The address as given.
        listen: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Anything else that ends the service (exit status 1).
    #[error("{0}")]
    Failed(String),
}
