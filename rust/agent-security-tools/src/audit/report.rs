//! The report of an audit. The order of the fields is the order in the JSON, in both twins.

use serde::{Deserialize, Serialize};

use crate::audit::waiver::{self, Tracked, Waiver};
use crate::audit::{Check, Outcome, Severity, Status};
use crate::snapshot::{Drift, Snapshot};

/// The version of the report's form.
pub const SCHEMA: u32 = 1;

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a check found of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's id.
    pub check: String,
    /// The rule.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// How it ended.
    pub status: Status,
    /// What was looked at.
    pub subject: String,
    /// What was seen.
    pub evidence: String,
    /// What to do about a failure.
    pub fix: String,
    /// Where the rule comes from.
    pub reference: String,
    /// The waiver's reason, empty unless waived.
    pub reason: String,
}

impl Finding {
    /// Turns a check's outcome into a finding; a failure that a waiver covers is
    /// waived, and so is what could not be looked at.
    pub fn new(check: &Check, outcome: Outcome, waivers: &mut [Tracked]) -> Self {
        let waived = matches!(outcome.status, Status::Fail | Status::Error)
            .then(|| waiver::reason(waivers, check.id, &outcome.subject))
            .flatten();
        Self {
            check: check.id.to_string(),
            title: check.title.to_string(),
            severity: check.severity,
            status: if waived.is_some() {
                Status::Waived
            } else {
                outcome.status
            },
            subject: outcome.subject,
            evidence: outcome.evidence,
            fix: check.fix.to_string(),
            reference: check.reference.to_string(),
            reason: waived.unwrap_or_default(),
        }
    }
}

/// Findings of one severity, by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Failed.
    pub fail: u64,
    /// Could not be looked at.
    pub error: u64,
    /// Failed or not looked at, and accepted.
    pub waived: u64,
    /// Good.
    pub pass: u64,
    /// Nothing there to look at.
    pub not_applicable: u64,
}

impl Counts {
    /// The count of one status.
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Fail => self.fail,
            Status::Error => self.error,
            Status::Waived => self.waived,
            Status::Pass => self.pass,
            Status::NotApplicable => self.not_applicable,
        }
    }

    fn add(&mut self, status: Status) {
        *match status {
            Status::Fail => &mut self.fail,
            Status::Error => &mut self.error,
            Status::Waived => &mut self.waived,
            Status::Pass => &mut self.pass,
            Status::NotApplicable => &mut self.not_applicable,
        } += 1;
    }
}

/// Findings by severity and status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of severity critical.
    pub critical: Counts,
    /// Of severity high.
    pub high: Counts,
    /// Of severity medium.
    pub medium: Counts,
    /// Of severity low.
    pub low: Counts,
}

impl Summary {
    /// The counts of one severity.
    pub fn of(&self, severity: Severity) -> &Counts {
        match severity {
            Severity::Critical => &self.critical,
            Severity::High => &self.high,
            Severity::Medium => &self.medium,
            Severity::Low => &self.low,
        }
    }
}

/// Counts findings.
pub fn summarize(findings: &[Finding]) -> Summary {
    let mut summary = Summary::default();
    for finding in findings {
        let counts = match finding.severity {
            Severity::Critical => &mut summary.critical,
            Severity::High => &mut summary.high,
            Severity::Medium => &mut summary.medium,
            Severity::Low => &mut summary.low,
        };
        counts.add(finding.status);
    }
    summary
}

/// The report of one audit of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// `audit`.
    pub kind: String,
    /// What made it.
    pub tool: Tool,
    /// The host's name.
    pub host: String,
    /// Seconds since 1970.
    pub audited_at: u64,
    /// Findings by severity and status.
    pub summary: Summary,
    /// All findings, by check and subject.
    pub findings: Vec<Finding>,
    /// What changed since the last audit.
    pub drift: Vec<Drift>,
    /// Waivers that covered nothing: remove them or mend them.
    pub unused_waivers: Vec<Waiver>,
    /// What the host showed.
    pub snapshot: Snapshot,
}

impl Report {
    /// As compact JSON.
    ///
    /// # Panics
    /// Never: a report holds text and whole numbers alone.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text and whole numbers alone")
    }
}
