//! A TCP connect scan: which ports answer, refuse, or stay silent, and which we could not try.
//!
//! A port's state is what the network said. What failed on our side (no sockets left, no route,
//! no source address) is `local_error` and never taken for `closed`.

mod engine;
mod local;
mod pace;
mod report;

use std::net::IpAddr;
use std::time::Duration;

pub use local::socket_limit;
pub use report::{PortSets, ScanCounts, ScanReport, TargetReport, ranges, report};

use crate::Error;
use crate::scope::{Scope, Target};

/// Probes one scan may plan.
pub const MAX_PROBES: usize = 4_000_000;

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The connection was accepted.
    Open,
    /// The connection was refused.
    Closed,
    /// No answer, or the network said that it may not be reached.
    Filtered,
    /// It failed on our side; nothing is known of the port.
    LocalError,
    /// The deadline came first; nothing was sent or nothing awaited.
    Skipped,
}

/// One port of one target, with what was found and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Index of the target in the request.
    pub target: usize,
    /// The port.
    pub port: u16,
    /// What was found.
    pub state: State,
    /// `accepted`, `refused`, `no_answer`, `deadline`, or the name of an error number.
    pub reason: &'static str,
}

/// How a scan is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The longest a probe waits for an answer. Shorter where a host has shown how fast it is.
    pub timeout: Duration,
    /// Tries before silence is taken for `filtered`, at least 1.
    pub tries: u32,
    /// The longest the whole scan may take; what is left is reported as skipped.
    pub deadline: Duration,
    /// Most sockets open at once; lowered to what the process may open.
    pub max_sockets: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            tries: 2,
            deadline: Duration::from_mins(2),
            max_sockets: 1024,
        }
    }
}

/// What was scanned and what was found, in the order targets × ports.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The targets.
    pub targets: Vec<Target>,
    /// One answer a target and port.
    pub answers: Vec<Answer>,
    /// How long it took.
    pub took: Duration,
    /// Most sockets that were open at once.
    pub peak_sockets: usize,
}

/// Scans `asked` (default: all hosts of the scope) on `ports` (default: the scope's).
/// Blocks for as long as the scan takes, at most the deadline.
///
/// # Errors
/// [`Error::OutOfScope`] before anything is sent, if any target is; [`Error::Input`] for options
/// that make no sense; [`Error::Engine`] if the system gives no epoll.
pub fn scan(
    scope: &Scope,
    asked: Option<&[String]>,
    ports: Option<&[u16]>,
    options: Options,
) -> Result<Scan, Error> {
    let targets = match asked {
        Some(asked) => scope.targets(asked)?,
        None => scope.hosts.clone(),
    };
    for target in &targets {
        scope.admit(target.address)?;
    }
    let mut ports = ports.unwrap_or(&scope.ports).to_vec();
    ports.sort_unstable();
    ports.dedup();
    check(&targets, &ports, options)?;
    let addresses: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
    let (answers, took, peak_sockets) = engine::run(&addresses, &ports, options)?;
    Ok(Scan {
        targets,
        answers,
        took,
        peak_sockets,
    })
}

fn check(targets: &[Target], ports: &[u16], options: Options) -> Result<(), Error> {
    let refuse = |place: &str, what: String, wants: &str| Err(Error::input(place, what, wants));
    if ports.first() == Some(&0) {
        return refuse("scan: ports", "0 is not a port".to_string(), "1 to 65535");
    }
    let probes = targets.len() * ports.len();
    if probes > MAX_PROBES {
        let wants = format!("at most {MAX_PROBES} probes in one scan");
        return refuse("scan", format!("{probes} probes asked for"), &wants);
    }
    if options.timeout.is_zero() || options.deadline.is_zero() {
        return refuse(
            "scan",
            "a timeout or deadline of 0".to_string(),
            "more than 0 seconds",
        );
    }
    if options.tries == 0 || options.max_sockets == 0 {
        return refuse("scan", "0 tries or sockets".to_string(), "1 or more");
    }
    Ok(())
}
