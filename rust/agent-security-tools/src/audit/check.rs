//! What a check is and what it may answer.

use serde::{Deserialize, Serialize};

use crate::host::Host;

/// How bad a failed check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Whoever reaches it owns the host.
    Critical,
    /// One mistake away from owning the host.
    High,
    /// Widens what an intruder can do.
    Medium,
    /// Good practice.
    Low,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word used in reports and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// How a check ended for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Looked at and found good.
    Pass,
    /// Looked at and found bad.
    Fail,
    /// There is no such thing here.
    NotApplicable,
    /// It could not be looked at: unknown, and never taken for a pass.
    Error,
    /// Bad or unknown, and accepted by a waiver that gives a reason.
    Waived,
}

impl Status {
    /// All of them, in the order of the summary.
    pub const ALL: [Self; 5] = [
        Self::Fail,
        Self::Error,
        Self::Waived,
        Self::Pass,
        Self::NotApplicable,
    ];

    /// The word used in reports and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not_applicable",
            Self::Error => "error",
            Self::Waived => "waived",
        }
    }
}

/// What a check says of one subject, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Found good.
    Pass(String),
    /// Found bad.
    Fail(String),
    /// There is no such thing here.
    NotApplicable(String),
    /// It could not be looked at.
    Error(String),
}

impl Verdict {
    /// Pass or fail, by a condition.
    pub fn pass_if(good: bool, evidence: impl Into<String>) -> Self {
        if good {
            Self::Pass(evidence.into())
        } else {
            Self::Fail(evidence.into())
        }
    }

    /// Names the subject of this verdict.
    pub fn of(self, subject: impl Into<String>) -> Outcome {
        let (status, evidence) = match self {
            Self::Pass(text) => (Status::Pass, text),
            Self::Fail(text) => (Status::Fail, text),
            Self::NotApplicable(text) => (Status::NotApplicable, text),
            Self::Error(text) => (Status::Error, text),
        };
        Outcome {
            subject: subject.into(),
            status,
            evidence,
        }
    }
}

/// A verdict with its subject: a file, an account, a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was looked at.
    pub subject: String,
    /// How it ended.
    pub status: Status,
    /// What was seen. Never a secret's value.
    pub evidence: String,
}

/// One audit check.
#[derive(Debug)]
pub struct Check {
    /// Stable id, the name of the file that holds it with dashes.
    pub id: &'static str,
    /// The rule, in one line.
    pub title: &'static str,
    /// How bad a failure is.
    pub severity: Severity,
    /// Where the rule comes from.
    pub reference: &'static str,
    /// What to do about a failure.
    pub fix: &'static str,
    /// Looks at the host.
    pub run: fn(&Host) -> Vec<Outcome>,
}
