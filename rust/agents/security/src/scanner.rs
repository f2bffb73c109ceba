//! Runs scans of the scope, one at a time.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use agent_security_tools::Error;
use agent_security_tools::scan::{self, Options, ScanReport};
use agent_security_tools::scope::Scope;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::metrics::Metrics;

/// Most targets of one request.
pub const MAX_TARGETS: usize = 1024;

/// What a request may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Addresses, or names of hosts in the scope; default: the neighbors.
    pub targets: Option<Vec<String>>,
    /// Ports; default: the scope's.
    pub ports: Option<Vec<u16>>,
}

/// Why there is no report.
#[derive(Debug)]
pub enum Refusal {
    /// Another scan is running.
    Busy,
    /// There is no scope file.
    NoScope,
    /// A target is out of scope, or the request makes no sense.
    Refused(Error),
    /// The scan ended without a report.
    Failed(String),
}

/// Scans the hosts of the scope.
pub struct Scanner {
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    turn: Mutex<()>,
}

impl Scanner {
    /// A scanner.
    pub fn new(config: Arc<Config>, metrics: Arc<Metrics>) -> Self {
        Self {
            config,
            metrics,
            turn: Mutex::new(()),
        }
    }

    /// Scans now. The work is done on a thread of its own.
    pub async fn scan(&self, request: Request) -> Result<ScanReport, Refusal> {
        let scope = self.config.scope.clone().ok_or(Refusal::NoScope)?;
        let _turn = self.turn.try_lock().map_err(|_| Refusal::Busy)?;
        let asked = request
            .targets
            .unwrap_or_else(|| neighbors(&scope, &self.config.host_name));
        let names: Vec<String> = scope.hosts.iter().map(|host| host.name.clone()).collect();
        let done = tokio::task::spawn_blocking(move || {
            scan::scan(
                &scope,
                Some(&asked),
                request.ports.as_deref(),
                Options::default(),
            )
        })
        .await
        .map_err(|error| Refusal::Failed(error.to_string()))?;
        let done = done.map_err(|error| match error {
            Error::Engine(cause) => Refusal::Failed(cause),
            refused => {
                if matches!(refused, Error::OutOfScope { .. }) {
                    self.metrics.denied();
                    tracing::warn!(%refused, "a scan was refused");
                }
                Refusal::Refused(refused)
            }
        })?;
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let report = scan::report(&done, at);
        self.metrics
            .scanned(&report, |name| names.iter().any(|known| known == name));
        let seconds = report.duration_seconds;
        tracing::info!(targets = report.targets.len(), seconds, "scan done");
        Ok(report)
    }
}

/// All hosts of the scope but this one; this one if it is alone.
fn neighbors(scope: &Scope, own_name: &str) -> Vec<String> {
    let names = scope.hosts.iter().map(|host| host.name.clone());
    let others: Vec<String> = names.clone().filter(|name| name != own_name).collect();
    if others.is_empty() {
        names.collect()
    } else {
        others
    }
}
