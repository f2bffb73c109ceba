//! The host as the collectors see it: where its trees are, what its clock and file systems say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::CollectError;
use crate::error::plain;
use crate::statter::Statter;

/// Where the host's trees are. In a container they are mounted read-only somewhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The procfs, `/proc`.
    pub procfs: PathBuf,
    /// The sysfs, `/sys`; the cgroups are at `fs/cgroup` below it.
    pub sysfs: PathBuf,
    /// The root file system, `/`; put in front of every mount point.
    pub rootfs: PathBuf,
    /// Folder of `*.prom` files that are added to the page.
    pub textfile_directory: Option<PathBuf>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            procfs: "/proc".into(),
            sysfs: "/sys".into(),
            rootfs: "/".into(),
            textfile_directory: None,
        }
    }
}

/// What `statvfs` says of a file system. Sizes are in blocks of `block_size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Bytes of a block (`f_frsize`).
    pub block_size: u64,
    /// All blocks.
    pub blocks: u64,
    /// Free blocks.
    pub free: u64,
    /// Blocks free for ordinary users.
    pub available: u64,
    /// All inodes.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
}

/// Answers that don't come from files, for a page that is the same each time (tests).
/// With a recording, durations are 0 too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// Microseconds since 1970; also every text file's time of change.
    pub now_micros: u64,
    /// `statvfs` by mount point; another mount point answers `No such file or directory`.
    pub capacities: BTreeMap<String, Capacity>,
}

/// The host: every read of a collector goes through here.
#[derive(Debug)]
pub(crate) struct Host {
    pub paths: Paths,
    pub recording: Option<Recording>,
    statter: Statter,
}

/// How long the file systems of one scrape may take together.
pub(crate) const STATVFS_BUDGET: Duration = Duration::from_secs(2);

impl Host {
    pub fn new(paths: Paths, recording: Option<Recording>) -> Self {
        Self {
            paths,
            recording,
            statter: Statter::default(),
        }
    }

    /// A file below the procfs.
    pub fn proc(&self, name: &str) -> Result<Text, CollectError> {
        Text::read(self.paths.procfs.join(name))
    }

    /// Microseconds since 1970.
    pub fn now_micros(&self) -> u64 {
        self.recording
            .as_ref()
            .map_or_else(system_micros, |recording| recording.now_micros)
    }

    /// `statvfs` of a mount point below the root file system; a hung one costs what is left of `budget`,
    /// and nothing as long as it goes on hanging.
    pub fn capacity(&self, mount_point: &Path, budget: Duration) -> Result<Capacity, String> {
        if let Some(recording) = &self.recording {
            let key = mount_point.to_string_lossy();
            let known = recording.capacities.get(key.as_ref()).copied();
            return known.ok_or_else(|| "No such file or directory".into());
        }
        let below = mount_point.strip_prefix("/").unwrap_or(mount_point);
        self.statter.stat(&self.paths.rootfs.join(below), budget)
    }
}

fn system_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// `statvfs(2)`.
pub(crate) fn statvfs(path: &Path) -> Result<Capacity, String> {
    let found = rustix::fs::statvfs(path).map_err(|error| plain(&error.into()))?;
    Ok(Capacity {
        block_size: found.f_frsize,
        blocks: found.f_blocks,
        free: found.f_bfree,
        available: found.f_bavail,
        files: found.f_files,
        files_free: found.f_ffree,
    })
}

/// A file that was read, and its path for the error messages.
#[derive(Debug)]
pub(crate) struct Text {
    path: PathBuf,
    pub content: String,
}

impl Text {
    /// Reads a whole file; bytes that aren't UTF-8 become U+FFFD.
    pub fn read(path: PathBuf) -> Result<Self, CollectError> {
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Self {
                path,
                content: String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            }),
            Err(source) => Err(CollectError::Read { path, source }),
        }
    }

    /// The lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.content
            .lines()
            .enumerate()
            .map(|(n, line)| (n + 1, line))
    }

    /// An error about one line.
    pub fn wrong(&self, line: usize, what: impl Into<String>) -> CollectError {
        CollectError::Parse {
            path: self.path.clone(),
            line,
            what: what.into(),
        }
    }

    /// A word that must be a whole number.
    pub fn number(&self, line: usize, word: Option<&str>) -> Result<u64, CollectError> {
        let word = word.ok_or_else(|| self.wrong(line, "a number is missing"))?;
        parse_number(word)
            .ok_or_else(|| self.wrong(line, format!("expected a whole number, found {word:?}")))
    }

    /// The whole file must be one number.
    pub fn only_number(&self) -> Result<u64, CollectError> {
        self.number(1, Some(self.content.trim()))
    }
}

/// Digits only: `+5` is a number to Rust and Python, but not to the kernel.
pub(crate) fn parse_number(word: &str) -> Option<u64> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        word.parse().ok()
    } else {
        None
    }
}
