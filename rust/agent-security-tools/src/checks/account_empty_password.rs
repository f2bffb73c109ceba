//! Every account that can log in has a password or none at all that works.

use crate::audit::{Check, Outcome, Severity, Verdict};
use crate::host::{Host, accounts};

/// The check.
pub const CHECK: Check = Check {
    id: "account-empty-password",
    title: "no account has an empty password",
    severity: Severity::Critical,
    reference: "Lynis AUTH-9283",
    fix: "Lock the account with `passwd -l NAME`, or give it a password.",
    run: |host| {
        let mut outcomes = Vec::new();
        let mut seen = 0;
        for path in ["/etc/passwd", "/etc/shadow"] {
            seen += judge(host, path, &mut outcomes);
        }
        if outcomes.is_empty() {
            outcomes.push(Verdict::Pass(format!("{seen} entries looked at")).of("accounts"));
        }
        outcomes
    },
};

/// Adds what is wrong in one file; the number of its entries.
fn judge(host: &Host, path: &str, outcomes: &mut Vec<Outcome>) -> usize {
    let entries = match accounts::entries(host, path) {
        Ok(Some(entries)) => entries,
        Ok(None) => {
            outcomes.push(Verdict::Error(format!("{path} does not exist")).of(path));
            return 0;
        }
        Err(problem) => {
            outcomes.push(Verdict::Error(problem.to_string()).of(path));
            return 0;
        }
    };
    for fields in &entries {
        if fields.get(1).is_some_and(String::is_empty) {
            let evidence = format!("the password field in {path} is empty");
            outcomes.push(Verdict::Fail(evidence).of(&fields[0]));
        }
    }
    entries.len()
}
