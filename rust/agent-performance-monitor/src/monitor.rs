//! Runs the collectors and puts their page together.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::CollectError;
use crate::collectors::{self, Collector};
use crate::host::{Host, Paths, Recording};
use crate::page::{Kind, Page, Value};

/// A page and what went wrong on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrape {
    /// The page, Prometheus's text format 0.0.4.
    pub text: String,
    /// Collectors that gave nothing or not all, and why; worth a log line.
    pub failures: Vec<Failure>,
}

/// One collector's trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The collector's name.
    pub collector: &'static str,
    /// What was wrong, and where.
    pub reason: String,
}

/// A selection that names no collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is no such collector.
    #[error("there is no collector {0:?}; the collectors are: {1}")]
    Unknown(String, String),
    /// Both a list to collect and a list to leave out.
    #[error("collect[] and exclude[] cannot be combined")]
    Both,
}

/// The monitor of one host. Scrapes run one after the other.
#[derive(Debug)]
pub struct Monitor {
    host: Host,
    collectors: Mutex<Vec<Box<dyn Collector>>>,
    names: Vec<&'static str>,
}

/// Room for a page of an ordinary host.
const PAGE_BYTES: usize = 96 * 1024;

impl Monitor {
    /// A monitor that reads the trees at `paths`.
    pub fn new(paths: Paths) -> Self {
        Self::with(paths, None)
    }

    /// A monitor whose page depends on the trees and the recording alone.
    pub fn recorded(paths: Paths, recording: Recording) -> Self {
        Self::with(paths, Some(recording))
    }

    fn with(paths: Paths, recording: Option<Recording>) -> Self {
        let collectors = collectors::all();
        Self {
            names: collectors.iter().map(|one| one.name()).collect(),
            host: Host::new(paths, recording),
            collectors: Mutex::new(collectors),
        }
    }

    /// The collectors' names, in the order of the page.
    pub fn collector_names(&self) -> &[&'static str] {
        &self.names
    }

    /// Runs every collector.
    pub fn collect(&self) -> Scrape {
        self.run(|_| true)
    }

    /// Runs the collectors named in `only` (all if empty) but not those in `exclude`.
    ///
    /// # Errors
    /// When a name is unknown or both lists are given.
    pub fn collect_selected(
        &self,
        only: &[String],
        exclude: &[String],
    ) -> Result<Scrape, SelectionError> {
        if !only.is_empty() && !exclude.is_empty() {
            return Err(SelectionError::Both);
        }
        for name in only.iter().chain(exclude) {
            if !self.names.contains(&name.as_str()) {
                let known = self.names.join(", ");
                return Err(SelectionError::Unknown(name.clone(), known));
            }
        }
        let named = |list: &[String], name: &str| list.iter().any(|one| one == name);
        Ok(self.run(|name| (only.is_empty() || named(only, name)) && !named(exclude, name)))
    }

    fn run(&self, wanted: impl Fn(&str) -> bool) -> Scrape {
        let mut page = Page::with_capacity(PAGE_BYTES);
        let mut failures = Vec::new();
        let mut outcomes: Vec<(&'static str, u64, bool)> = Vec::new();
        page.family("node_exporter_build_info", BUILD_HELP, Kind::Gauge);
        let labels = [("goos", "linux"), ("version", env!("CARGO_PKG_VERSION"))];
        page.sample(&labels, Value::Int(1));
        let mut collectors = self
            .collectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for collector in collectors.iter_mut().filter(|one| wanted(one.name())) {
            let name = collector.name();
            let mark = page.mark();
            let begin = Instant::now();
            let outcome = collector.collect(&self.host, &mut page);
            let nanos = match self.host.recording {
                Some(_) => 0,
                None => u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX),
            };
            outcomes.push((name, nanos, outcome.is_ok()));
            for reason in page.take_warnings() {
                failures.push(Failure {
                    collector: name,
                    reason,
                });
            }
            if let Err(error) = outcome {
                page.roll_back(mark);
                if !matches!(error, CollectError::NoData(_)) {
                    failures.push(Failure {
                        collector: name,
                        reason: error.to_string(),
                    });
                }
            }
        }
        page.family(
            "node_scrape_collector_duration_seconds",
            "node_exporter: Duration of a collector scrape.",
            Kind::Gauge,
        );
        for (name, nanos, _) in &outcomes {
            page.sample(&[("collector", name)], Value::Scaled(*nanos, 9));
        }
        page.family(
            "node_scrape_collector_success",
            "node_exporter: Whether a collector succeeded.",
            Kind::Gauge,
        );
        for (name, _, success) in &outcomes {
            page.sample(&[("collector", name)], Value::Int(u64::from(*success)));
        }
        Scrape {
            text: page.into_text(),
            failures,
        }
    }
}

/// Dashboards find their instances by this metric, so it keeps its name and its help text.
const BUILD_HELP: &str = "A metric with a constant '1' value labeled by version, revision, branch, \
goversion from which node_exporter was built, and the goos and goarch for the build.";
