//! A container cannot take all of the host's memory.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// The check.
pub const CHECK: Check = Check {
    id: "container-memory-limit",
    title: "a container cannot take all of the host's memory",
    severity: Severity::Medium,
    reference: "CIS Docker 1.6.0 5.11",
    fix: "Start it with `--memory`.",
    run: |host| {
        containers::each(host, |container| {
            let bytes = container.number("Memory");
            let evidence = if bytes > 0 {
                format!("{bytes} bytes")
            } else {
                "no memory limit".to_string()
            };
            Ok(Verdict::pass_if(bytes > 0, evidence))
        })
    },
};
