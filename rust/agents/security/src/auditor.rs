//! Runs audits, one at a time, and keeps the last report in memory and in the state folder.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use agent_kit::Latch;
use agent_security_tools::audit::{self, Options, Report};
use agent_security_tools::host::Host;
use tokio::sync::Mutex as TurnMutex;

use crate::config::Config;
use crate::metrics::Metrics;

const STATE: &str = "last-audit.json";

/// Why there is no report.
#[derive(Debug)]
pub enum Refusal {
    /// Another audit is running.
    Busy,
    /// The audit ended without a report.
    Failed(String),
}

/// Audits this host.
pub struct Auditor {
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    turn: TurnMutex<()>,
    last: Mutex<Option<Arc<Report>>>,
}

impl Auditor {
    /// An auditor that has not audited yet.
    pub fn new(config: Arc<Config>, metrics: Arc<Metrics>) -> Self {
        Self {
            config,
            metrics,
            turn: TurnMutex::new(()),
            last: Mutex::new(None),
        }
    }

    /// The last report of this process.
    pub fn last(&self) -> Option<Arc<Report>> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Audits now. The work is done on a thread of its own.
    pub async fn audit(&self) -> Result<Arc<Report>, Refusal> {
        let _turn = self.turn.try_lock().map_err(|_| Refusal::Busy)?;
        let config = self.config.clone();
        let start = Instant::now();
        let report = tokio::task::spawn_blocking(move || audit_once(&config))
            .await
            .map_err(|error| Refusal::Failed(error.to_string()))?
            .map_err(|error| Refusal::Failed(error.to_string()))?;
        let report = Arc::new(report);
        self.metrics.audited(&report, start.elapsed());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
        for change in &report.drift {
            tracing::warn!(kind = %change.kind, subject = %change.subject, "the host changed");
        }
        Ok(report)
    }
}

/// Audits at once, opens the latch, then audits at intervals until it is dropped.
pub async fn run_periodically(auditor: Arc<Auditor>, ready: Latch) {
    let mut ticks = tokio::time::interval(auditor.config.audit_interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match auditor.audit().await {
            Ok(report) => {
                ready.open();
                let failed: u64 = [
                    report.summary.critical,
                    report.summary.high,
                    report.summary.medium,
                    report.summary.low,
                ]
                .iter()
                .map(|counts| counts.fail)
                .sum();
                tracing::info!(findings = report.findings.len(), failed, "audit done");
            }
            Err(Refusal::Busy) => tracing::debug!("an audit asked for by the API is running"),
            Err(Refusal::Failed(error)) => tracing::error!(%error, "audit failed"),
        }
    }
}

fn audit_once(config: &Config) -> Result<Report, agent_security_tools::Error> {
    let place = config.state_dir.as_deref().map(|folder| folder.join(STATE));
    let previous = place.as_deref().and_then(read_state);
    let host = Host::new(&config.rootfs, &config.procfs);
    let at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut options = Options {
        host: &config.host_name,
        at,
        waivers: config.waivers.as_deref(),
        previous: previous.as_deref(),
    };
    let report = match audit::audit(&host, options) {
        Err(agent_security_tools::Error::Input { place, what, .. }) if previous.is_some() => {
            tracing::warn!(%place, %what, "the last report cannot be used; drift starts anew");
            options.previous = None;
            audit::audit(&host, options)?
        }
        done => done?,
    };
    if let Some(place) = place
        && let Err(error) = write_state(&place, &report.to_json())
    {
        tracing::error!(place = %place.display(), %error, "the report cannot be kept");
    }
    Ok(report)
}

fn read_state(place: &Path) -> Option<String> {
    match std::fs::read_to_string(place) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(place = %place.display(), %error, "the last report cannot be read");
            None
        }
    }
}

/// Written beside its place and moved there, so that a reader never sees half of it.
fn write_state(place: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let early: PathBuf = place.with_extension("json.new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&early)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(early, place)
}
