//! Reads files below a root as if the root were `/`: symbolic links never lead out of it.
//!
//! The auditor runs in a container with the host's tree mounted read-only somewhere. A link such as
//! `/var/run -> /run` must then mean the host's `/run`, not the container's.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// More links than this in one path is a loop (the kernel's own limit).
const MAX_LINKS: u32 = 40;
/// Bytes read of one file; larger files are reported as unreadable.
const MAX_FILE: u64 = 8 << 20;

/// A file that exists but cannot be read; its state is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The path below the root.
    pub path: String,
    /// The operating system's error number.
    pub errno: i32,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {} ({})", self.path, errno_name(self.errno))
    }
}

/// The symbolic name of the errors that reading a file can meet.
pub fn errno_name(errno: i32) -> String {
    let name = match errno {
        1 => "EPERM",
        2 => "ENOENT",
        5 => "EIO",
        13 => "EACCES",
        20 => "ENOTDIR",
        21 => "EISDIR",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        27 => "EFBIG",
        36 => "ENAMETOOLONG",
        40 => "ELOOP",
        116 => "ESTALE",
        _ => return format!("errno {errno}"),
    };
    name.to_string()
}

/// What kind of file it is, as far as the checks care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link (only where links are not followed).
    Link,
    /// A socket.
    Socket,
    /// A device or pipe.
    Other,
}

/// Owner, group and mode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Permission bits with setuid, setgid and sticky (07777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Kind of file.
    pub kind: Kind,
}

impl From<&std::fs::Metadata> for Meta {
    fn from(meta: &std::fs::Metadata) -> Self {
        let file_type = meta.file_type();
        let kind = if file_type.is_symlink() {
            Kind::Link
        } else if file_type.is_dir() {
            Kind::Directory
        } else if file_type.is_file() {
            Kind::File
        } else if file_type.is_socket() {
            Kind::Socket
        } else {
            Kind::Other
        };
        Self {
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            kind,
        }
    }
}

/// A directory taken for `/`.
#[derive(Debug, Clone)]
pub struct Root(PathBuf);

impl Root {
    /// Takes `path` for `/`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file's text, `None` if there is none. Bytes that are not UTF-8 are replaced.
    pub fn read(&self, path: &str) -> Result<Option<String>, Unreadable> {
        absent_is_none(path, self.read_bytes(path))
            .map(|found| found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn read_bytes(&self, path: &str) -> io::Result<Vec<u8>> {
        let place = self.resolve(path)?;
        if !std::fs::metadata(&place)?.is_file() {
            return Err(io::Error::from_raw_os_error(21)); // never block on a pipe or a device
        }
        let mut bytes = Vec::new();
        std::fs::File::open(place)?
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(io::Error::from_raw_os_error(27));
        }
        Ok(bytes)
    }

    /// Owner and mode of what `path` leads to, `None` if there is nothing.
    pub fn stat(&self, path: &str) -> Result<Option<Meta>, Unreadable> {
        let found = self.resolve(path).and_then(std::fs::symlink_metadata);
        absent_is_none(path, found).map(|found| found.map(|meta| Meta::from(&meta)))
    }

    /// The names in a directory, sorted by their bytes; `None` if there is no such directory.
    pub fn list(&self, path: &str) -> Result<Option<Vec<String>>, Unreadable> {
        let names = self.resolve(path).and_then(|place| list_raw(&place));
        absent_is_none(path, names).map(|found| {
            found.map(|names| {
                names
                    .iter()
                    .map(|n| n.to_string_lossy().into_owned())
                    .collect()
            })
        })
    }

    /// Where `path` leads, links followed inside the root. The last part need not exist.
    pub fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let mut todo: VecDeque<OsString> = parts(Path::new(path)).collect();
        let mut below: Vec<OsString> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == OsStr::new("..") {
                below.pop();
                continue;
            }
            let mut here = self.0.clone();
            here.extend(&below);
            here.push(&part);
            match std::fs::symlink_metadata(&here) {
                Ok(meta) if meta.file_type().is_symlink() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(io::Error::from_raw_os_error(40));
                    }
                    let target = std::fs::read_link(&here)?;
                    if target.is_absolute() {
                        below.clear();
                    }
                    for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                        todo.push_front(part);
                    }
                }
                Ok(_) => below.push(part),
                Err(error) if error.raw_os_error() == Some(2) => below.push(part),
                Err(error) => return Err(error),
            }
        }
        let mut place = self.0.clone();
        place.extend(below);
        Ok(place)
    }
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    use std::path::Component;
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_os_string()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    })
}

/// The names in a directory as the system gives them, sorted by their bytes.
pub(crate) fn list_raw(place: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place)? {
        names.push(entry?.file_name());
    }
    names.sort();
    Ok(names)
}

fn absent_is_none<T>(path: &str, found: io::Result<T>) -> Result<Option<T>, Unreadable> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.raw_os_error() {
            Some(2 | 20) => Ok(None),
            errno => Err(Unreadable {
                path: path.to_string(),
                errno: errno.unwrap_or(5),
            }),
        },
    }
}
