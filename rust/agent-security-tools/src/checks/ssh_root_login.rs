//! Root may not log in over SSH with a password.

use crate::audit::{Check, Severity};
use crate::host::sshd;

/// The check.
pub const CHECK: Check = Check {
    id: "ssh-root-login",
    title: "root may not log in over SSH with a password",
    severity: Severity::High,
    reference: "Lynis SSH-7408",
    fix: "Set `PermitRootLogin no` or `prohibit-password` in /etc/ssh/sshd_config, reload sshd.",
    run: |host| {
        let good = [
            "no",
            "prohibit-password",
            "without-password",
            "forced-commands-only",
        ];
        sshd::judge(host, "PermitRootLogin", "prohibit-password", &good)
    },
};
