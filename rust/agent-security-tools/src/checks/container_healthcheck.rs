//! Every container can be asked whether it is well.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// The check.
pub const CHECK: Check = Check {
    id: "container-healthcheck",
    title: "every container has a healthcheck",
    severity: Severity::Low,
    reference: "CIS Docker 1.6.0 4.6, 5.27",
    fix: "Add `HEALTHCHECK` to the image or start it with `--health-cmd`.",
    run: |host| {
        containers::each(host, |container| {
            let test = container
                .inner("Healthcheck")
                .and_then(|check| check.get("Test")?.as_array());
            let first = test.and_then(|words| words.first()?.as_str());
            Ok(match first {
                Some("NONE") => Verdict::Fail("the healthcheck is switched off".to_string()),
                Some(kind) if !kind.is_empty() => Verdict::Pass(format!("a {kind} healthcheck")),
                _ => Verdict::Fail("no healthcheck".to_string()),
            })
        })
    },
};
