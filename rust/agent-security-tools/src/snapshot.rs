//! What a host shows at one moment, and what changed between two: the first version of monitoring.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::host::Host;
use crate::host::containers::Containers;
use crate::host::listeners::Listener;

/// The kinds of change, by name.
pub const KINDS: &[&str] = &[
    "container_added",
    "container_image_changed",
    "container_removed",
    "listener_added",
    "listener_removed",
    "setuid_added",
    "setuid_removed",
];

/// Processes of one name and owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessGroup {
    /// The kernel's name.
    pub name: String,
    /// Real user id.
    pub uid: u32,
    /// How many run.
    pub count: u64,
}

/// A container and its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerImage {
    /// The container's name.
    pub name: String,
    /// The image as it was named.
    pub image: String,
    /// The image's hash.
    pub image_id: String,
    /// It runs now.
    pub running: bool,
}

/// What a host shows. A part that could not be read is `null`: unknown, not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Listening TCP sockets.
    pub listeners: Option<Vec<Listener>>,
    /// Files with setuid or setgid.
    pub setuid: Option<Vec<String>>,
    /// Containers with their images.
    pub containers: Option<Vec<ContainerImage>>,
    /// Processes by name and owner.
    pub processes: Option<Vec<ProcessGroup>>,
}

/// One change since the last audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// One of [`KINDS`].
    pub kind: String,
    /// What changed.
    pub subject: String,
    /// As it was, empty if it was not there.
    pub before: String,
    /// As it is, empty if it is gone.
    pub after: String,
}

impl Snapshot {
    /// Looks at a host.
    pub fn take(host: &Host) -> Self {
        let walk = host.walk();
        Self {
            listeners: host.listeners().ok().map(<[Listener]>::to_vec),
            setuid: (walk.entries > 0 && walk.unreadable.is_empty()).then(|| walk.setuid.clone()),
            containers: containers(host),
            processes: host.processes().ok().map(|all| {
                let mut groups: BTreeMap<(&str, u32), u64> = BTreeMap::new();
                for process in all {
                    *groups.entry((&process.name, process.uid)).or_default() += 1;
                }
                let group = |((name, uid), count): ((&str, u32), u64)| ProcessGroup {
                    name: name.to_string(),
                    uid,
                    count,
                };
                groups.into_iter().map(group).collect()
            }),
        }
    }
}

fn containers(host: &Host) -> Option<Vec<ContainerImage>> {
    match host.containers() {
        Containers::NoEngine => Some(Vec::new()),
        Containers::Unknown(_) => None,
        Containers::Known(all) => Some(
            all.iter()
                .map(|container| {
                    let (image, image_id) = container.image();
                    let running = container.is_running();
                    ContainerImage {
                        name: container.name.clone(),
                        image,
                        image_id,
                        running,
                    }
                })
                .collect(),
        ),
    }
}

/// The snapshot in an earlier report.
///
/// # Errors
/// [`Error::Input`] if the text is not such a report.
pub fn of_report(report: &str) -> Result<Snapshot, Error> {
    #[derive(Deserialize)]
    struct Earlier {
        schema: u32,
        snapshot: Snapshot,
    }
    serde_json::from_str::<Earlier>(report)
        .ok()
        .filter(|earlier| earlier.schema == crate::audit::report::SCHEMA)
        .map(|earlier| earlier.snapshot)
        .ok_or_else(|| Error::input("previous report", "not an audit report", "schema 1"))
}

/// What changed, by kind and subject. A part unknown then or now tells nothing.
pub fn drift(before: &Snapshot, now: &Snapshot) -> Vec<Drift> {
    let mut changes = Vec::new();
    if let (Some(then), Some(now)) = (&before.containers, &now.containers) {
        compare("container", &images(then), &images(now), &mut changes);
    }
    if let (Some(then), Some(now)) = (&before.listeners, &now.listeners) {
        compare("listener", &places(then), &places(now), &mut changes);
    }
    if let (Some(then), Some(now)) = (&before.setuid, &now.setuid) {
        compare("setuid", &names(then), &names(now), &mut changes);
    }
    changes
}

fn images(all: &[ContainerImage]) -> BTreeMap<String, String> {
    all.iter()
        .map(|c| (c.name.clone(), format!("{} {}", c.image, c.image_id)))
        .collect()
}

fn places(all: &[Listener]) -> BTreeMap<String, String> {
    all.iter()
        .map(|l| {
            (
                format!("{} {}", l.proto, l.place()),
                "listening".to_string(),
            )
        })
        .collect()
}

fn names(all: &[String]) -> BTreeMap<String, String> {
    all.iter()
        .map(|path| (path.clone(), "setuid or setgid".to_string()))
        .collect()
}

fn compare(
    kind: &str,
    then: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    changes: &mut Vec<Drift>,
) {
    let subjects: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for subject in subjects {
        let what = match (then.get(subject), now.get(subject)) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(then), Some(now)) if then != now => "image_changed",
            _ => continue,
        };
        changes.push(Drift {
            kind: format!("{kind}_{what}"),
            subject: subject.clone(),
            before: then.get(subject).cloned().unwrap_or_default(),
            after: now.get(subject).cloned().unwrap_or_default(),
        });
    }
}
