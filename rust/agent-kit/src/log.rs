//! The log: one line an event on standard error, as text or as a JSON object.

use tracing_subscriber::filter::LevelFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// `2026-11-23T10:00:00.000000Z  INFO target: message key=value`
    Text,
    /// `{"timestamp":"…","level":"INFO","message":"…","key":"value","target":"…"}`
    Json,
}

/// The least severe level that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is doubtful.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// The log flags of every daemon; flatten them into its arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct LogArgs {
    /// Form of the log lines on standard error.
    #[arg(long = "log.format", value_enum, default_value = "text")]
    pub format: LogFormat,
    /// Least severe level that is written.
    #[arg(long = "log.level", value_enum, default_value = "info")]
    pub level: LogLevel,
}

impl Default for LogArgs {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: LogLevel::Info,
        }
    }
}

/// Installs the process-wide subscriber. A second call changes nothing.
pub(crate) fn init(args: &LogArgs) {
    let level = match args.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(level);
    let _ = match args.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
