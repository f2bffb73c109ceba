//! For tests only: recorded trees of hosts, and copies of them to break.
//!
//! `fixtures/monitor/<host>/` holds `proc`, `sys`, `root`, `textfile`, `statvfs` (what the file
//! systems said, one mount point a line) and `expected.prom` (the page that both implementations must
//! render, with `/TREE` for the tree's own path). `python/tests/fixtures/monitor` is a copy of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A recorded host, read-only.
pub fn monitor_host(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/monitor")
        .join(name)
}

/// A copy of a recorded host, to break something in; it goes away with the returned value.
///
/// # Errors
/// When the tree can't be copied.
pub fn monitor_host_copy(name: &str) -> io::Result<tempfile::TempDir> {
    let copy = tempfile::tempdir()?;
    copy_tree(&monitor_host(name), copy.path())?;
    Ok(copy)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
