//! SSH takes keys, not passwords.

use crate::audit::{Check, Severity};
use crate::host::sshd;

/// The check.
pub const CHECK: Check = Check {
    id: "ssh-password-authentication",
    title: "SSH takes keys, not passwords",
    severity: Severity::Medium,
    reference: "Lynis SSH-7408",
    fix: "Set `PasswordAuthentication no` in /etc/ssh/sshd_config and reload sshd.",
    run: |host| sshd::judge(host, "PasswordAuthentication", "yes", &["no"]),
};
