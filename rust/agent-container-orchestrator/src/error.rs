//! The two ways in which a call is refused: by what was asked, or by the engine.

use serde_json::Value;

/// A template, variable, policy or sandbox request is refused; nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("\n"))]
pub struct TemplateError {
    /// Every problem found, each `path: what; expected …` on one line.
    pub problems: Vec<String>,
}

impl TemplateError {
    /// One problem alone.
    pub fn one(problem: impl Into<String>) -> Self {
        Self {
            problems: vec![problem.into()],
        }
    }
}

/// What kind of failure an [`EngineError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// No engine answers at the address.
    Unreachable,
    /// The engine is too old or too new for this client.
    Unsupported,
    /// Another change of the same project is under way.
    Busy,
    /// The project, or a specification to return to, does not exist.
    NotFound,
    /// The engine does not have the image.
    ImageMissing,
    /// A container did not pass its health gate; the former state is restored.
    GateFailed,
    /// The state directory cannot be read or written.
    State,
    /// The engine refused or failed.
    Engine,
}

impl Code {
    /// The word used in JSON and in Python.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unsupported => "unsupported",
            Self::Busy => "busy",
            Self::NotFound => "not_found",
            Self::ImageMissing => "image_missing",
            Self::GateFailed => "gate_failed",
            Self::State => "state",
            Self::Engine => "engine",
        }
    }
}

/// The engine could not be reached, refused a request, or a container failed its gate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of failure.
    pub code: Code,
    /// What failed and where.
    pub message: String,
    /// The evidence: for a failed gate the service, the end of its log, its health history and
    /// what was restored.
    pub details: Value,
}

impl EngineError {
    /// An error without evidence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Value::Object(serde_json::Map::new()),
        }
    }
}
