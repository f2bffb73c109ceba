//! SSH refuses accounts without a password.

use crate::audit::{Check, Severity};
use crate::host::sshd;

/// The check.
pub const CHECK: Check = Check {
    id: "ssh-empty-passwords",
    title: "SSH refuses accounts without a password",
    severity: Severity::Critical,
    reference: "Lynis SSH-7408",
    fix: "Set `PermitEmptyPasswords no` in /etc/ssh/sshd_config and reload sshd.",
    run: |host| sshd::judge(host, "PermitEmptyPasswords", "no", &["no"]),
};
