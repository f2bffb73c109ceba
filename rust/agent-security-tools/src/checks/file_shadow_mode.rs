//! Password hashes are readable by root and the shadow group alone.

use crate::audit::{Check, Severity};
use crate::host::modes::{self, Allowed};

/// The check.
pub const CHECK: Check = Check {
    id: "file-shadow-mode",
    title: "password hashes are readable by root and the shadow group alone",
    severity: Severity::Critical,
    reference: "Lynis FILE-7524",
    fix: "Run `chown root:shadow` and `chmod 0640` on the file.",
    run: |host| {
        let paths = [
            "/etc/shadow",
            "/etc/shadow-",
            "/etc/gshadow",
            "/etc/gshadow-",
        ];
        modes::judge_all(
            host,
            &paths,
            Allowed {
                mode: 0o640,
                groups: &["shadow"],
            },
        )
    },
};
