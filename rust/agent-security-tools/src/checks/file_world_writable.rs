//! Nothing in the system's own trees is writable by everybody.

use crate::audit::{Check, Severity, Verdict};

/// Offenders named one by one; the rest is counted.
const NAMED: usize = 100;

/// The check.
pub const CHECK: Check = Check {
    id: "file-world-writable",
    title: "nothing in the system's own trees is writable by everybody",
    severity: Severity::High,
    reference: "CIS Debian Linux: world-writable files",
    fix: "Run `chmod o-w` on it, and find out what wrote there.",
    run: |host| {
        let walk = host.walk();
        let mut outcomes = Vec::new();
        for (path, mode) in walk.world_writable.iter().take(NAMED) {
            outcomes.push(Verdict::Fail(format!("mode {mode:04o}")).of(path));
        }
        if walk.world_writable.len() > NAMED {
            let rest = walk.world_writable.len() - NAMED;
            outcomes.push(Verdict::Fail(format!("{rest} more")).of("(more files)"));
        }
        for problem in walk.unreadable.iter().take(NAMED) {
            outcomes.push(Verdict::Error(problem.to_string()).of(&problem.path));
        }
        if outcomes.is_empty() {
            let seen = format!("{} entries looked at", walk.entries);
            let verdict = if walk.entries == 0 {
                Verdict::Error("found none of the trees to look at".to_string())
            } else {
                Verdict::Pass(seen)
            };
            outcomes.push(verdict.of("/bin, /etc, /lib, /opt, /sbin, /srv, /usr"));
        }
        outcomes
    },
};
