//! Findings as SARIF 2.1.0 (OASIS, `sarif-schema-2.1.0`), for code-scanning tools.
//!
//! Failures are results of kind `fail`; what could not be looked at is `open`, for SARIF's own
//! "not enough information"; what is waived is of kind `fail` with a suppression that gives the reason.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::{Finding, Report, Severity, Status};
use crate::checks;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: ToolPart,
    automation_details: Id,
    results: Vec<ResultPart>,
}

#[derive(Serialize)]
struct ToolPart {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: String,
    version: String,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Id {
    id: String,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    help: Text,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 1],
    reference: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultPart {
    rule_id: String,
    rule_index: usize,
    kind: &'static str,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    logical_locations: [Logical; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "finding/v1")]
    finding: String,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

/// Writes a report as SARIF. Passes and checks that do not apply are left out.
///
/// # Panics
/// Never: it holds text and whole numbers alone.
pub fn sarif(report: &Report) -> String {
    let results = report
        .findings
        .iter()
        .filter_map(|finding| result(&report.host, finding));
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: vec![Run {
            tool: ToolPart {
                driver: Driver {
                    name: report.tool.name.clone(),
                    version: report.tool.version.clone(),
                    rules: checks::ALL.iter().map(|check| rule(check)).collect(),
                },
            },
            automation_details: Id {
                id: format!("audit/{}/{}", report.host, report.audited_at),
            },
            results: results.collect(),
        }],
    };
    serde_json::to_string(&log).expect("text and whole numbers alone")
}

fn rule(check: &'static crate::audit::Check) -> Rule {
    Rule {
        id: check.id,
        short_description: Text {
            text: check.title.to_string(),
        },
        help: Text {
            text: check.fix.to_string(),
        },
        default_configuration: Configuration {
            level: level(check.severity),
        },
        properties: RuleProperties {
            tags: ["security"],
            reference: check.reference,
            security_severity: score(check.severity),
        },
    }
}

fn result(host: &str, finding: &Finding) -> Option<ResultPart> {
    let (kind, level) = match finding.status {
        Status::Fail | Status::Waived => ("fail", level(finding.severity)),
        Status::Error => ("open", "none"),
        Status::Pass | Status::NotApplicable => return None,
    };
    let name = format!("{host}/{}", finding.subject);
    let digest = Sha256::digest(format!("{}\0{name}", finding.check));
    let waived = finding.status == Status::Waived;
    Some(ResultPart {
        rule_id: finding.check.clone(),
        rule_index: checks::ALL
            .iter()
            .position(|check| check.id == finding.check)?,
        kind,
        level,
        message: Text {
            text: format!("{}: {}", finding.subject, finding.evidence),
        },
        locations: [Location {
            logical_locations: [Logical {
                name: finding.subject.clone(),
                fully_qualified_name: name,
                kind: "resource",
            }],
        }],
        partial_fingerprints: Fingerprints {
            finding: format!("{digest:x}"),
        },
        suppressions: waived
            .then(|| Suppression {
                kind: "external",
                justification: finding.reason.clone(),
            })
            .into_iter()
            .collect(),
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The number by which code-scanning tools sort (0 to 10).
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
    }
}
