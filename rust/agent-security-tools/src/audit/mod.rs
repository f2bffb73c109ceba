//! Runs the checks over a host and writes down what was found.

mod check;
pub mod glob;
pub mod report;
pub mod sarif;
pub mod waiver;

pub use check::{Check, Outcome, Severity, Status, Verdict};
pub use report::{Finding, Report, Tool};

use serde::Serialize;

use crate::host::Host;
use crate::snapshot::{self, Snapshot};
use crate::{Error, TOOL, VERSION, checks};

/// What an audit is told besides where to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// The name the host has in the report.
    pub host: &'a str,
    /// Seconds since 1970 that the report carries.
    pub at: u64,
    /// The waivers file's text, if there is one.
    pub waivers: Option<&'a str>,
    /// The report of the last audit, to name what changed since.
    pub previous: Option<&'a str>,
}

/// Audits a host: all checks, then the waivers, then what changed since the last report.
///
/// # Errors
/// [`Error::Input`] if the waivers or the previous report cannot be used. What cannot be read on
/// the host is no error here: it becomes a finding of status `error`.
pub fn audit(host: &Host, options: Options<'_>) -> Result<Report, Error> {
    let mut waivers = waiver::parse(options.waivers.unwrap_or("[]"))?;
    let before = options.previous.map(snapshot::of_report).transpose()?;
    let mut findings = Vec::new();
    for check in checks::ALL {
        for outcome in (check.run)(host) {
            findings.push(Finding::new(check, outcome, &mut waivers));
        }
    }
    let now = Snapshot::take(host);
    Ok(Report {
        schema: report::SCHEMA,
        kind: "audit".to_string(),
        tool: Tool {
            name: TOOL.to_string(),
            version: VERSION.to_string(),
        },
        host: options.host.to_string(),
        audited_at: options.at,
        summary: report::summarize(&findings),
        findings,
        drift: before
            .map(|before| snapshot::drift(&before, &now))
            .unwrap_or_default(),
        unused_waivers: waivers
            .into_iter()
            .filter(|w| !w.used)
            .map(|w| w.waiver)
            .collect(),
        snapshot: now,
    })
}

/// A check as the catalog shows it.
#[derive(Debug, Serialize)]
struct Entry {
    id: &'static str,
    title: &'static str,
    severity: Severity,
    reference: &'static str,
    fix: &'static str,
}

/// All checks as JSON, by id.
///
/// # Panics
/// Never: the catalog holds text alone.
pub fn catalog() -> String {
    let entries: Vec<Entry> = checks::ALL
        .iter()
        .map(|check| Entry {
            id: check.id,
            title: check.title,
            severity: check.severity,
            reference: check.reference,
            fix: check.fix,
        })
        .collect();
    serde_json::to_string(&entries).expect("text alone")
}
