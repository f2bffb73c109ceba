//! `node_filesystem_*`: the mounts of process 1, asked by `statvfs` below the root file system.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Instant;

use super::Simple;
use crate::CollectError;
use crate::host::{Capacity, Host, STATVFS_BUDGET, Text};
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "filesystem",
        collect,
    }
}

/// File systems without a size of their own (`node_exporter`'s default exclusion).
const VIRTUAL: [&str; 28] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "erofs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
    "fuse.lxcfs",
    "fuse-overlayfs",
    "fuse.fuse-overlayfs",
];

/// `node_exporter`'s default exclusion of mount points:
/// `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`.
fn excluded(mount_point: &str) -> bool {
    let is_or_below = |folder: &str| {
        mount_point
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let below = |folder: &str| {
        mount_point
            .strip_prefix(folder)
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
    };
    is_or_below("/dev")
        || is_or_below("/proc")
        || is_or_below("/sys")
        || below("/run/credentials")
        || below("/var/lib/docker")
        || below("/var/lib/containers/storage")
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: String,
    fstype: String,
    point: String,
    path: PathBuf,
    read_only: bool,
}

fn mounts(text: &Text) -> Result<Vec<Mount>, CollectError> {
    let mut seen = HashSet::new();
    let mut mounts = Vec::new();
    for (number, line) in text.lines() {
        // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
        let (left, right) = line
            .split_once(" - ")
            .ok_or_else(|| text.wrong(number, "expected the separator \" - \""))?;
        let mut left = left.split(' ').skip(4);
        let mut right = right.split(' ');
        let (Some(point), Some(options), Some(fstype), Some(device)) =
            (left.next(), left.next(), right.next(), right.next())
        else {
            return Err(text.wrong(number, "fields are missing"));
        };
        let is_ro = |options: &str| options.split(',').any(|option| option == "ro");
        let read_only = is_ro(options) || right.next().is_some_and(is_ro);
        let raw = unescape(point);
        let mount_point = String::from_utf8_lossy(&raw).into_owned();
        let device = String::from_utf8_lossy(&unescape(device)).into_owned();
        if VIRTUAL.contains(&fstype) || excluded(&mount_point) {
            continue;
        }
        if seen.insert((device.clone(), mount_point.clone(), fstype.to_string())) {
            mounts.push(Mount {
                device,
                fstype: fstype.to_string(),
                point: mount_point,
                path: OsString::from_vec(raw).into(),
                read_only,
            });
        }
    }
    Ok(mounts)
}

/// Spaces and the like are written as `\040`.
fn unescape(word: &str) -> Vec<u8> {
    let bytes = word.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let code = bytes
            .get(index..index + 4)
            .filter(|code| code[0] == b'\\')
            .and_then(|code| std::str::from_utf8(&code[1..]).ok())
            .filter(|digits| digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit)))
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = code {
            out.push(byte);
            index += 4;
        } else {
            out.push(bytes[index]);
            index += 1;
        }
    }
    out
}

type Figure = fn(&Capacity) -> u64;
const FIGURES: [(&str, &str, Figure); 5] = [
    (
        "avail_bytes",
        "Filesystem space available to non-root users in bytes.",
        |of| of.available.saturating_mul(of.block_size),
    ),
    ("files", "Filesystem total file nodes.", |of| of.files),
    ("files_free", "Filesystem total free file nodes.", |of| {
        of.files_free
    }),
    ("free_bytes", "Filesystem free space in bytes.", |of| {
        of.free.saturating_mul(of.block_size)
    }),
    ("size_bytes", "Filesystem size in bytes.", |of| {
        of.blocks.saturating_mul(of.block_size)
    }),
];

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let text = match host.proc("1/mountinfo") {
        Ok(text) => text,
        Err(_) => host.proc("self/mountinfo")?,
    };
    let end = Instant::now() + STATVFS_BUDGET;
    let mut found: Vec<(Mount, Result<Capacity, String>)> = Vec::new();
    for mount in mounts(&text)? {
        let left = end.saturating_duration_since(Instant::now());
        let capacity = host.capacity(&mount.path, left);
        if let Err(reason) = &capacity {
            page.warn(format!("{}: {reason}", mount.point));
        }
        found.push((mount, capacity));
    }
    write(
        page,
        "device_error",
        "Whether an error occurred while getting statistics for the given device.",
        &found,
        |_, capacity| Some(u64::from(capacity.is_err())),
    );
    for (name, help, figure) in FIGURES {
        write(page, name, help, &found, |_, capacity| {
            capacity.as_ref().ok().map(figure)
        });
    }
    write(
        page,
        "readonly",
        "Filesystem read-only status.",
        &found,
        |mount, _| Some(u64::from(mount.read_only)),
    );
    Ok(())
}

fn write(
    page: &mut Page,
    name: &str,
    help: &str,
    found: &[(Mount, Result<Capacity, String>)],
    figure: impl Fn(&Mount, &Result<Capacity, String>) -> Option<u64>,
) {
    page.family(&format!("node_filesystem_{name}"), help, Kind::Gauge);
    for (mount, capacity) in found {
        if let Some(value) = figure(mount, capacity) {
            let error = capacity.as_ref().err().map_or("", String::as_str);
            let labels = [
                ("device", mount.device.as_str()),
                ("device_error", error),
                ("fstype", &mount.fstype),
                ("mountpoint", &mount.point),
            ];
            page.sample(&labels, Value::Int(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape("/a\\040b\\134c\\0"), b"/a b\\c\\0");
        assert_eq!(unescape("\\999\\377"), b"\\999\xff");
    }

    #[test]
    fn default_exclusions_are_node_exporters() {
        for point in [
            "/dev",
            "/dev/shm",
            "/proc",
            "/sys/fs",
            "/run/credentials/x",
            "/var/lib/docker/overlay2/x",
        ] {
            assert!(excluded(point), "{point}");
        }
        for point in ["/", "/device", "/run/credentials", "/var/lib/docker", "/home"] {
            assert!(!excluded(point), "{point}");
        }
    }
}
