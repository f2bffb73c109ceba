//! Scans the hosts a team owns and audits a host and its containers.
//!
//! Three things, each pure (no global state, no runtime, no Python):
//! [`scan`] finds open TCP ports inside a [`scope`] and nowhere else; [`audit`] runs the
//! [`checks`] over a host's files and gives findings as JSON and SARIF; [`snapshot`] records
//! what a host shows (listeners, setuid files, containers, processes) and names what changed.
//!
//! The Python twin gives the same findings byte for byte; change both together.

pub mod audit;
pub mod checks;
mod error;
pub mod host;
pub mod scan;
pub mod scope;
pub mod snapshot;

pub use error::Error;

/// The name reports carry.
pub const TOOL: &str = "agent-security-tools";
/// The version reports carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
