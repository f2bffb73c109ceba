//! No program in a container can gain rights by setuid files.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;
use serde_json::Value;

/// The spellings Docker accepts.
const SPELLINGS: [&str; 3] = [
    "no-new-privileges",
    "no-new-privileges:true",
    "no-new-privileges=true",
];

/// The check.
pub const CHECK: Check = Check {
    id: "container-no-new-privileges",
    title: "no program in a container can gain new privileges",
    severity: Severity::Medium,
    reference: "CIS Docker 1.6.0 5.26",
    fix: "Start it with `--security-opt no-new-privileges`.",
    run: |host| {
        containers::each(host, |container| {
            let options = container.list("SecurityOpt");
            let effective = container
                .config
                .get("NoNewPrivileges")
                .and_then(Value::as_bool);
            let good = options.iter().any(|option| SPELLINGS.contains(option))
                || effective.unwrap_or(false);
            let evidence = if good {
                "no-new-privileges is set"
            } else {
                "no-new-privileges is not set"
            };
            Ok(Verdict::pass_if(good, evidence))
        })
    },
};
