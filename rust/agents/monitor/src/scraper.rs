//! Runs scrapes off the async threads, counts them, and logs what goes wrong once, not every 15 s.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use agent_kit::SharedRegistry;
use agent_performance_monitor::{Failure, Monitor, Scrape, SelectionError};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

/// The monitor, and what it costs.
pub struct Scraper {
    monitor: Monitor,
    scrapes: Counter,
    seconds: Histogram,
    known: Mutex<BTreeSet<(&'static str, String)>>,
}

impl Scraper {
    /// Registers the scraper's own figures.
    pub fn new(monitor: Monitor, registry: &SharedRegistry) -> Self {
        let scrapes = Counter::default();
        let seconds = Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1.0, 5.0]);
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("agentcore_monitor_scrapes", "Pages made", scrapes.clone());
        registry.register(
            "agentcore_monitor_scrape_duration_seconds",
            "Time to make a page",
            seconds.clone(),
        );
        drop(registry);
        Self {
            monitor,
            scrapes,
            seconds,
            known: Mutex::default(),
        }
    }

    /// Makes a page; blocking.
    ///
    /// # Errors
    /// When the selection names no collector.
    pub fn scrape(&self, only: &[String], exclude: &[String]) -> Result<String, SelectionError> {
        let begin = Instant::now();
        let Scrape { text, failures } = self.monitor.collect_selected(only, exclude)?;
        self.seconds.observe(begin.elapsed().as_secs_f64());
        self.scrapes.inc();
        // A chosen part says nothing about the rest: it has not recovered.
        if only.is_empty() && exclude.is_empty() {
            self.log(failures);
        }
        Ok(text)
    }

    /// Logs what has changed since the last scrape.
    fn log(&self, failures: Vec<Failure>) {
        let now: BTreeSet<_> = failures
            .into_iter()
            .map(|one| (one.collector, one.reason))
            .collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (collector, reason) in now.difference(&known) {
            tracing::warn!(collector, "{reason}");
        }
        for (collector, reason) in known.difference(&now) {
            tracing::info!(collector, "recovered: {reason}");
        }
        *known = now;
    }
}
