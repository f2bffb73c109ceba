//! Containers hold no more capabilities than Docker gives by default.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// What the Docker engine gives to every container that does not drop it.
const DEFAULT: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The check.
pub const CHECK: Check = Check {
    id: "container-capabilities",
    title: "containers hold no capability beyond Docker's default",
    severity: Severity::High,
    reference: "CIS Docker 1.6.0 5.4",
    fix: "Drop the capability, or waive it for this container with the reason it is needed.",
    run: |host| {
        containers::each(host, |container| {
            if container.flag("Privileged")? {
                return Ok(Verdict::Fail(
                    "all of them, for it is privileged".to_string(),
                ));
            }
            let mut added: Vec<String> = container
                .list("CapAdd")
                .iter()
                .map(|name| name.to_ascii_uppercase())
                .map(|name| name.strip_prefix("CAP_").map(String::from).unwrap_or(name))
                .filter(|name| !DEFAULT.contains(&name.as_str()))
                .collect();
            added.sort();
            Ok(if added.is_empty() {
                Verdict::Pass("none beyond the default".to_string())
            } else {
                Verdict::Fail(format!("adds {}", added.join(", ")))
            })
        })
    },
};
