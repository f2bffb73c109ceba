//! Containers keep running while the daemon restarts.

use crate::audit::{Check, Severity, Verdict};
use crate::host::daemon;

/// The check.
pub const CHECK: Check = Check {
    id: "docker-live-restore",
    title: "containers keep running while the Docker daemon restarts",
    severity: Severity::Low,
    reference: "CIS Docker 1.6.0 2.15",
    fix: "Set `\"live-restore\": true` in /etc/docker/daemon.json and reload the daemon.",
    run: |host| {
        daemon::judge(host, |daemon| match daemon.switch("live-restore") {
            Some(true) => Verdict::Pass("live-restore is true".to_string()),
            Some(false) => Verdict::Fail("live-restore is false".to_string()),
            None => Verdict::Fail("live-restore is not set".to_string()),
        })
    },
};
