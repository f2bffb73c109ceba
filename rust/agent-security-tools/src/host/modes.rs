//! Judges owner and mode of files. Modes are compared bit by bit: 0602 is not "below" 0640.

use crate::audit::{Outcome, Verdict};

use super::Host;
use super::accounts;

/// What a file's owner and mode may be.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// The bits that may be set.
    pub mode: u32,
    /// Groups besides root that may own it.
    pub groups: &'static [&'static str],
}

/// One outcome for one file; none if there is no such file.
pub fn judge(host: &Host, path: &str, allowed: Allowed) -> Option<Outcome> {
    let meta = match host.root.stat(path) {
        Ok(Some(meta)) => meta,
        Ok(None) => return None,
        Err(problem) => return Some(Verdict::Error(problem.to_string()).of(path)),
    };
    let group = if meta.gid == 0 {
        Some("root".to_string())
    } else {
        match accounts::group_name(host, meta.gid) {
            Ok(name) => name,
            Err(problem) => return Some(Verdict::Error(problem.to_string()).of(path)),
        }
    };
    let group_is_fine = group
        .as_deref()
        .is_some_and(|name| name == "root" || allowed.groups.contains(&name));
    let evidence = format!(
        "mode {:04o}, uid {}, group {}; wants at most {:04o}, uid 0, group {}",
        meta.mode,
        meta.uid,
        group.unwrap_or_else(|| meta.gid.to_string()),
        allowed.mode,
        std::iter::once(&"root")
            .chain(allowed.groups)
            .copied()
            .collect::<Vec<_>>()
            .join(" or "),
    );
    let good = meta.mode & !allowed.mode == 0 && meta.uid == 0 && group_is_fine;
    Some(Verdict::pass_if(good, evidence).of(path))
}

/// One outcome a file that exists; if none exists, the check is not applicable.
pub fn judge_all(host: &Host, paths: &[&str], allowed: Allowed) -> Vec<Outcome> {
    let outcomes: Vec<Outcome> = paths
        .iter()
        .filter_map(|path| judge(host, path, allowed))
        .collect();
    if outcomes.is_empty() {
        return vec![Verdict::NotApplicable("no such file".to_string()).of(paths.join(", "))];
    }
    outcomes
}
