//! The Docker socket is closed to all but root and the docker group.

use crate::audit::{Check, Severity, Verdict};
use crate::host::modes::{self, Allowed};

/// The check.
pub const CHECK: Check = Check {
    id: "docker-socket-mode",
    title: "the Docker socket is closed to all but root and the docker group",
    severity: Severity::Critical,
    reference: "CIS Docker 1.6.0 3.15, 3.16",
    fix: "Run `chown root:docker` and `chmod 0660` on the socket.",
    run: |host| {
        let path = "/var/run/docker.sock";
        if !host.daemon().present {
            let none = "no Docker engine is installed".to_string();
            return vec![Verdict::NotApplicable(none).of(path)];
        }
        let allowed = Allowed {
            mode: 0o660,
            groups: &["docker"],
        };
        let unseen = || Verdict::Error("the socket cannot be seen from here".to_string()).of(path);
        vec![modes::judge(host, path, allowed).unwrap_or_else(unseen)]
    },
};
