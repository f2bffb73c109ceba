//! Only root has user id 0.

use crate::audit::{Check, Severity, Verdict};
use crate::host::accounts;

/// The check.
pub const CHECK: Check = Check {
    id: "account-uid-zero",
    title: "only root has user id 0",
    severity: Severity::Critical,
    reference: "Lynis AUTH-9204",
    fix: "Remove the account or give it a user id of its own.",
    run: |host| {
        let entries = match accounts::entries(host, "/etc/passwd") {
            Ok(Some(entries)) => entries,
            Ok(None) => {
                let problem = "/etc/passwd does not exist".to_string();
                return vec![Verdict::Error(problem).of("/etc/passwd")];
            }
            Err(problem) => return vec![Verdict::Error(problem.to_string()).of("/etc/passwd")],
        };
        let is_zero = |id: &String| !id.is_empty() && id.bytes().all(|digit| digit == b'0');
        let mut outcomes = Vec::new();
        for fields in &entries {
            if fields[0] != "root" && fields.get(2).is_some_and(is_zero) {
                let evidence = "has user id 0 and so every right of root".to_string();
                outcomes.push(Verdict::Fail(evidence).of(&fields[0]));
            }
        }
        if outcomes.is_empty() {
            let evidence = format!("{} entries looked at", entries.len());
            outcomes.push(Verdict::Pass(evidence).of("accounts"));
        }
        outcomes
    },
};
