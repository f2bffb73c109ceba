//! A container cannot fill the host's process table.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// The check.
pub const CHECK: Check = Check {
    id: "container-pids-limit",
    title: "a container cannot fill the host's process table",
    severity: Severity::Medium,
    reference: "CIS Docker 1.6.0 5.29",
    fix: "Start it with `--pids-limit`.",
    run: |host| {
        containers::each(host, |container| {
            let limit = container.number("PidsLimit");
            let evidence = if limit > 0 {
                format!("{limit} processes")
            } else {
                "no pids limit".to_string()
            };
            Ok(Verdict::pass_if(limit > 0, evidence))
        })
    },
};
