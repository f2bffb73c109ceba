//! Containers have process, IPC and network namespaces of their own.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// The check.
pub const CHECK: Check = Check {
    id: "container-host-namespaces",
    title: "containers do not share the host's pid, ipc or network namespace",
    severity: Severity::High,
    reference: "CIS Docker 1.6.0 5.10, 5.16, 5.17",
    fix: "Remove `--pid host`, `--ipc host` or `--network host`, or waive it with the reason.",
    run: |host| {
        containers::each(host, |container| {
            let mut shared = Vec::new();
            for (key, name) in [
                ("PidMode", "pid"),
                ("IpcMode", "ipc"),
                ("NetworkMode", "network"),
            ] {
                if container.text(key)? == "host" {
                    shared.push(name);
                }
            }
            Ok(if shared.is_empty() {
                Verdict::Pass("namespaces of its own".to_string())
            } else {
                Verdict::Fail(format!("shares the host's {}", shared.join(", ")))
            })
        })
    },
};
