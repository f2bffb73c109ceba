//! One walk over the paths where a planted or careless file does harm: finds files with setuid or
//! setgid, and files and directories that everybody may write.

use std::path::{Path, PathBuf};

use super::root::{Kind, Meta, Root, Unreadable, list_raw};

/// The trees that are walked. Links among them (a merged `/usr`) are not followed.
pub const TREES: [&str; 8] = [
    "/bin", "/etc", "/lib", "/lib64", "/opt", "/sbin", "/srv", "/usr",
];
/// Entries looked at before the walk gives up, and says so.
const MAX_ENTRIES: usize = 1_000_000;

/// What the walk found, each list sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Regular files with setuid or setgid.
    pub setuid: Vec<String>,
    /// What everybody may write (directories with the sticky bit aside), with its mode.
    pub world_writable: Vec<(String, u32)>,
    /// What could not be looked at.
    pub unreadable: Vec<Unreadable>,
    /// Entries looked at.
    pub entries: usize,
}

/// Walks [`TREES`] below `root`.
pub fn walk(root: &Root) -> Walk {
    let mut found = Walk::default();
    for tree in TREES {
        let place = root.path().join(&tree[1..]);
        if let Ok(meta) = std::fs::symlink_metadata(&place) {
            visit(&place, tree, Meta::from(&meta), &mut found);
        }
    }
    found.setuid.sort();
    found.world_writable.sort();
    found.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn visit(place: &Path, shown: &str, meta: Meta, found: &mut Walk) {
    found.entries += 1;
    let sticky_directory = meta.kind == Kind::Directory && meta.mode & 0o1000 != 0;
    if meta.mode & 0o002 != 0
        && matches!(meta.kind, Kind::File | Kind::Directory)
        && !sticky_directory
    {
        found.world_writable.push((shown.to_string(), meta.mode));
    }
    if meta.kind == Kind::File && meta.mode & 0o6000 != 0 {
        found.setuid.push(shown.to_string());
    }
    if meta.kind == Kind::Directory {
        descend(place, shown, found);
    }
}

fn descend(place: &Path, shown: &str, found: &mut Walk) {
    let names = match list_raw(place) {
        Ok(names) => names,
        Err(error) => return miss(shown, error.raw_os_error(), found),
    };
    for name in names {
        let inner: PathBuf = place.join(&name);
        let label = format!("{shown}/{}", name.to_string_lossy());
        if found.entries >= MAX_ENTRIES {
            return miss(&label, Some(27), found);
        }
        match std::fs::symlink_metadata(&inner) {
            Ok(meta) => visit(&inner, &label, Meta::from(&meta), found),
            Err(error) => miss(&label, error.raw_os_error(), found),
        }
    }
}

fn miss(shown: &str, errno: Option<i32>, found: &mut Walk) {
    // Gone while we walked is not an error.
    if errno != Some(2) {
        found.unreadable.push(Unreadable {
            path: shown.to_string(),
            errno: errno.unwrap_or(5),
        });
    }
}
