//! No container may write to the host's own trees.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers::{self, is_within};

/// Trees of the host; nothing in them may be writable from a container.
const TREES: [&str; 12] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/sbin", "/sys",
    "/usr",
];
/// Folders that may not be given as a whole.
const WHOLE: [&str; 4] = ["/", "/home", "/run", "/var"];

/// The check.
pub const CHECK: Check = Check {
    id: "container-sensitive-mounts",
    title: "no container may write to the host's own trees",
    severity: Severity::High,
    reference: "CIS Docker 1.6.0 5.6",
    fix: "Mount it read-only, or mount a folder of its own or a volume instead.",
    run: |host| {
        let data_root = host.daemon().data_root();
        containers::each(host, |container| {
            let mut bad = Vec::new();
            for bind in container.binds().iter().filter(|bind| bind.writable) {
                let source = bind.source.as_str();
                if WHOLE.contains(&source)
                    || TREES.iter().any(|tree| is_within(source, tree))
                    || is_within(source, data_root)
                {
                    bad.push(format!("{source} at {}", bind.destination));
                }
            }
            Ok(if bad.is_empty() {
                Verdict::Pass("none of them is writable".to_string())
            } else {
                Verdict::Fail(format!("may write to {}", bad.join(", ")))
            })
        })
    },
};
