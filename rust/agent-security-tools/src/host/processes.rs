//! The processes a procfs shows: id, name, owner, and how deep in pid namespaces they live.

use super::Host;
use super::root::Unreadable;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process id in the procfs that was read.
    pub pid: u32,
    /// The kernel's name for it (up to 15 bytes).
    pub name: String,
    /// Real user id.
    pub uid: u32,
    /// Pid namespaces from the reader's down to the process's own; 1 is the host itself.
    pub depth: usize,
}

/// All processes by id. One that ends while we read is left out.
pub(super) fn read(host: &Host) -> Result<Vec<Process>, Unreadable> {
    let names = host.procfs.list("/")?.ok_or_else(|| Unreadable {
        path: "/proc".to_string(),
        errno: 2,
    })?;
    let mut pids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    let mut found = Vec::with_capacity(pids.len());
    for pid in pids {
        // A process that ends between the listing and the read answers ESRCH: not an error.
        if let Ok(Some(text)) = host.procfs.read(&format!("/{pid}/status")) {
            found.extend(parse(pid, &text));
        }
    }
    Ok(found)
}

fn parse(pid: u32, status: &str) -> Option<Process> {
    let field = |key: &str| {
        status.lines().find_map(|line| {
            line.strip_prefix(key)?
                .strip_prefix(':')
                .map(str::trim_ascii)
        })
    };
    Some(Process {
        pid,
        name: field("Name")?.to_string(),
        uid: field("Uid")?
            .split_ascii_whitespace()
            .next()?
            .parse()
            .ok()?,
        depth: field("NSpid").map_or(1, |ids| ids.split_ascii_whitespace().count()),
    })
}
