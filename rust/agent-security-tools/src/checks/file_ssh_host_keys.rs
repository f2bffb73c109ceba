//! The private SSH host keys are readable by root alone.

use crate::audit::{Check, Severity, Verdict, glob};
use crate::host::modes::{self, Allowed};

/// The check.
pub const CHECK: Check = Check {
    id: "file-ssh-host-keys",
    title: "the private SSH host keys are readable by root alone",
    severity: Severity::High,
    reference: "Lynis FILE-7524",
    fix: "Run `chown root:root` and `chmod 0600` on the key; make a new one if others read it.",
    run: |host| {
        let names = match host.root.list("/etc/ssh") {
            Ok(names) => names.unwrap_or_default(),
            Err(problem) => return vec![Verdict::Error(problem.to_string()).of("/etc/ssh")],
        };
        let keys: Vec<String> = names
            .iter()
            .filter(|name| glob::matches("ssh_host_*_key", name))
            .map(|name| format!("/etc/ssh/{name}"))
            .collect();
        if keys.is_empty() {
            return vec![
                Verdict::NotApplicable("there are no host keys".to_string()).of("/etc/ssh"),
            ];
        }
        let allowed = Allowed {
            mode: 0o640,
            groups: &["ssh_keys"],
        };
        keys.iter()
            .filter_map(|key| modes::judge(host, key, allowed))
            .collect()
    },
};
