//! Root in a container is not root on the host.

use crate::audit::{Check, Severity, Verdict};
use crate::host::daemon;

/// The check.
pub const CHECK: Check = Check {
    id: "docker-userns",
    title: "root in a container is not root on the host",
    severity: Severity::Low,
    reference: "CIS Docker 1.6.0 2.9",
    fix: "Set `\"userns-remap\": \"default\"` in /etc/docker/daemon.json; images are pulled anew.",
    run: |host| {
        daemon::judge(host, |daemon| match daemon.text("userns-remap") {
            Some(user) if !user.is_empty() => Verdict::Pass(format!("userns-remap is {user}")),
            _ => Verdict::Fail("userns-remap is not set".to_string()),
        })
    },
};
