//! Finds the containers' cgroups and their names.

use std::path::{Path, PathBuf};

use crate::CollectError;
use crate::host::Host;

/// More containers than this are left out, so that one host can't flood Prometheus.
pub(super) const LIMIT: usize = 512;
/// How deep containers lie at most: `/kubepods.slice/…/…/cri-containerd-<id>.scope`.
const DEPTH: usize = 6;
/// How many cgroups are looked at, at most; a host has some hundreds.
const VISITS: usize = 8192;

/// What was found.
pub(super) struct Found {
    pub version: u8,
    pub root: PathBuf,
    pub containers: Vec<Container>,
    pub truncated: bool,
}

/// One container.
pub(super) struct Container {
    /// The cgroup's path below its root, `/docker/<64 hex>`.
    pub id: String,
    pub name: String,
    pub image: String,
}

impl Container {
    pub fn labels(&self) -> [(&str, &str); 3] {
        [
            ("id", &self.id),
            ("image", &self.image),
            ("name", &self.name),
        ]
    }
}

pub(super) fn find(host: &Host) -> Result<Found, CollectError> {
    let root = host.paths.sysfs.join("fs/cgroup");
    let version = if root.join("cgroup.controllers").exists() {
        2
    } else {
        1
    };
    // In version 1 every hierarchy has the containers; memory's is there on every engine.
    let tree = match version {
        1 => ["memory", "cpuacct", "pids"]
            .iter()
            .map(|controller| root.join(controller))
            .find(|tree| tree.is_dir())
            .ok_or_else(|| CollectError::NoData(format!("no cgroups at {}", root.display())))?,
        _ => root.clone(),
    };
    let mut ids = Vec::new();
    let mut visits = VISITS;
    walk(&tree, "", DEPTH, &mut visits, &mut ids);
    ids.sort();
    let truncated = ids.len() > LIMIT || visits == 0;
    ids.truncate(LIMIT);
    let containers = ids.into_iter().map(|(id, hex)| named(host, id, hex));
    Ok(Found {
        version,
        root,
        containers: containers.collect(),
        truncated,
    })
}

/// Collects (path, id) of containers. It doesn't look into them: what a container runs inside
/// itself is part of it.
fn walk(
    folder: &Path,
    path: &str,
    depth: usize,
    visits: &mut usize,
    out: &mut Vec<(String, String)>,
) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        if *visits == 0 {
            return;
        }
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        *visits -= 1;
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = format!("{path}/{name}");
        if let Some(hex) = container_id(&name) {
            out.push((below, hex.to_string()));
        } else if depth > 1 {
            walk(&entry.path(), &below, depth - 1, visits, out);
        }
    }
}

/// `<64 hex>` (cgroupfs driver) or `<engine>-<64 hex>.scope` (systemd driver).
fn container_id(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".scope").unwrap_or(name);
    let hex = stem.rsplit_once('-').map_or(stem, |(_, hex)| hex);
    let is_hex = hex
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (hex.len() == 64 && is_hex).then_some(hex)
}

/// Docker's record of a container: its `Name` (with a slash in front) and `Config.Image`.
fn named(host: &Host, id: String, hex: String) -> Container {
    let below = format!("var/lib/docker/containers/{hex}/config.v2.json");
    let record = std::fs::read(host.paths.rootfs.join(below))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .unwrap_or_default();
    let name = record["Name"].as_str().unwrap_or("");
    let name = name.strip_prefix('/').unwrap_or(name);
    Container {
        id,
        name: if name.is_empty() { hex } else { name.into() },
        image: record["Config"]["Image"].as_str().unwrap_or("").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::container_id;

    #[test]
    fn ids_of_every_engine() {
        let hex = "0123456789abcdef".repeat(4);
        for name in [
            hex.clone(),
            format!("docker-{hex}.scope"),
            format!("cri-containerd-{hex}.scope"),
            format!("libpod-{hex}.scope"),
        ] {
            assert_eq!(container_id(&name), Some(hex.as_str()), "{name}");
        }
        for name in ["docker", "user.slice", "system.slice", &hex[1..]] {
            assert_eq!(container_id(name), None, "{name}");
        }
    }
}
