//! Only root may change the account files.

use crate::audit::{Check, Severity};
use crate::host::modes::{self, Allowed};

/// The check.
pub const CHECK: Check = Check {
    id: "file-passwd-mode",
    title: "only root may change the account files",
    severity: Severity::Critical,
    reference: "Lynis FILE-7524",
    fix: "Run `chown root:root` and `chmod 0644` on the file.",
    run: |host| {
        let paths = ["/etc/passwd", "/etc/group"];
        modes::judge_all(
            host,
            &paths,
            Allowed {
                mode: 0o644,
                groups: &[],
            },
        )
    },
};
