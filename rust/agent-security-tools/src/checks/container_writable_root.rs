//! A container's own root is read-only.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// The check.
pub const CHECK: Check = Check {
    id: "container-writable-root",
    title: "a container's root is read-only",
    severity: Severity::Medium,
    reference: "CIS Docker 1.6.0 5.13",
    fix: "Start it with `--read-only`, and `--tmpfs` or a volume for what it must write.",
    run: |host| {
        containers::each(host, |container| {
            let read_only = container.flag("ReadonlyRootfs")?;
            Ok(Verdict::pass_if(
                read_only,
                format!("ReadonlyRootfs is {read_only}"),
            ))
        })
    },
};
