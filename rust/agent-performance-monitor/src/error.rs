//! Why a collector gave nothing.

use std::io;
use std::path::PathBuf;

/// Why a collector gave nothing. The scrape goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The kernel doesn't offer this here (no such file by design); not worth a log line.
    #[error("no data: {0}")]
    NoData(String),
    /// A file can't be read.
    #[error("{}: {}", path.display(), plain(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file doesn't hold what it should.
    #[error("{}: line {line}: {what}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl CollectError {
    /// A missing file becomes [`CollectError::NoData`]: this kernel was built without it.
    pub(crate) fn missing_is_no_data(self) -> Self {
        match self {
            Self::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
                Self::NoData(format!("there is no {}", path.display()))
            }
            other => other,
        }
    }
}

/// The system's words without Rust's ` (os error 2)`, so that both twins say the same.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}
