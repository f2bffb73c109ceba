//! Container logs are kept, and cannot fill the disk.

use crate::audit::{Check, Severity, Verdict};
use crate::host::daemon;

/// The check.
pub const CHECK: Check = Check {
    id: "docker-log-rotation",
    title: "container logs are kept and cannot fill the disk",
    severity: Severity::Medium,
    reference: "CIS Docker 1.6.0 2.13",
    fix: "Set `\"log-opts\": {\"max-size\": \"10m\", \"max-file\": \"3\"}` in /etc/docker/daemon.json.",
    run: |host| {
        daemon::judge(host, |daemon| {
            match daemon.text("log-driver").unwrap_or("json-file") {
                "none" => Verdict::Fail("log-driver none keeps no logs".to_string()),
                "json-file" => match daemon.log_option("max-size") {
                    Some(size) if size != "-1" => {
                        Verdict::Pass(format!("log-driver json-file, max-size {size}"))
                    }
                    _ => Verdict::Fail(
                        "log-driver json-file without max-size grows for ever".to_string(),
                    ),
                },
                driver => Verdict::Pass(format!("log-driver {driver} rotates or forwards")),
            }
        })
    },
};
