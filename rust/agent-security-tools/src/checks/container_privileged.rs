//! No container runs privileged: with all capabilities, all devices and no filter.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// The check.
pub const CHECK: Check = Check {
    id: "container-privileged",
    title: "no container runs privileged",
    severity: Severity::Critical,
    reference: "CIS Docker 1.6.0 5.5",
    fix: "Remove `--privileged`; give the one capability or device it needs.",
    run: |host| {
        containers::each(host, |container| {
            let privileged = container.flag("Privileged")?;
            Ok(Verdict::pass_if(
                !privileged,
                format!("Privileged is {privileged}"),
            ))
        })
    },
};
