//! What can go wrong before any work is done: bad input, or an address that is not ours to scan.

/// A refusal, worded for the person who can mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Input that cannot be used: where it stands, what is wrong, what would be right.
    #[error("{place}: {what}; expected {expected}")]
    Input {
        /// Which input, for example `scope: hosts[2].address`.
        place: String,
        /// What was found there.
        what: String,
        /// What would have been right.
        expected: String,
    },
    /// An address that the scope does not hold. Nothing was sent.
    #[error("{address} is out of scope: {reason}")]
    OutOfScope {
        /// The address or name asked for.
        address: String,
        /// Why it is refused and what would allow it.
        reason: String,
    },
    /// The scanner itself could not start (no epoll, for example).
    #[error("the scanner could not start: {0}")]
    Engine(String),
}

impl Error {
    /// An [`Error::Input`].
    pub fn input(
        place: impl Into<String>,
        what: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Input {
            place: place.into(),
            what: what.into(),
            expected: expected.into(),
        }
    }
}
