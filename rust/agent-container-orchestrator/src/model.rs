//! The project: a template in normal form, with every default written out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A template in normal form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Name; the prefix of its containers, networks and volumes.
    pub name: String,
    /// By name.
    pub services: BTreeMap<String, Service>,
    /// By the name used in the template.
    pub networks: BTreeMap<String, Network>,
    /// By the name used in the template.
    pub volumes: BTreeMap<String, Volume>,
}

/// A network of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name in the engine.
    pub name: String,
    /// Made by somebody else: neither created nor removed.
    pub external: bool,
    /// Without a way out of the host.
    pub internal: bool,
}

/// A named volume of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name in the engine.
    pub name: String,
    /// Made by somebody else: neither created nor removed.
    pub external: bool,
}

/// One service: one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Service {
    /// Image name or id.
    pub image: String,
    /// Instead of the image's command.
    pub command: Option<Vec<String>>,
    /// Instead of the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Mounts of volumes and host paths.
    pub volumes: Vec<Mount>,
    /// Mount point to options.
    pub tmpfs: BTreeMap<String, String>,
    /// How the engine probes it.
    pub healthcheck: Option<Healthcheck>,
    /// Resource limits.
    pub limits: Limits,
    /// Service to condition.
    pub depends_on: BTreeMap<String, String>,
    /// Empty, `none` or `host`.
    pub network_mode: String,
    /// By the name used in the template.
    pub networks: BTreeMap<String, Attachment>,
    /// User, or user:group; empty is the image's.
    pub user: String,
    /// The root file system is read-only.
    pub read_only: bool,
    /// The engine's own init is process 1.
    pub init: bool,
    /// All of the host. Refused by the default policy.
    pub privileged: bool,
    /// Empty or `host`.
    pub pid: String,
    /// Empty or `host`.
    pub ipc: String,
    /// Capabilities dropped, without `CAP_`.
    pub cap_drop: Vec<String>,
    /// Capabilities added, without `CAP_`.
    pub cap_add: Vec<String>,
    /// Security options in the engine's form.
    pub security_opt: Vec<String>,
    /// The user's own labels.
    pub labels: BTreeMap<String, String>,
    /// What the engine does when it ends.
    pub restart: Restart,
    /// Working directory; empty is the image's.
    pub working_dir: String,
    /// Between SIGTERM and SIGKILL, in nanoseconds.
    pub stop_grace_ns: u64,
    /// How `apply` knows that it works.
    pub gate: Gate,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Address on the host; loopback unless written.
    pub host_ip: String,
    /// Port on the host; 0 asks the engine for a free one.
    pub host_port: u64,
    /// Port in the container.
    pub container_port: u64,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// `volume` or `bind`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Volume name, or normalized host path.
    pub source: String,
    /// Normalized path in the container.
    pub target: String,
    /// Cannot be written through this mount.
    pub read_only: bool,
}

/// A healthcheck; a time or count of 0 leaves the engine's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Healthcheck {
    /// A probe.
    Probe {
        /// `CMD` or `CMD-SHELL` and what follows.
        test: Vec<String>,
        /// Between probes, in nanoseconds.
        interval_ns: u64,
        /// Of one probe, in nanoseconds.
        timeout_ns: u64,
        /// During which failures do not count, in nanoseconds.
        start_period_ns: u64,
        /// Between probes in the start period, in nanoseconds (engine 25 and later).
        start_interval_ns: u64,
        /// Failures in a row that make it unhealthy.
        retries: u64,
    },
    /// Switched off: `["NONE"]`.
    Off {
        /// `["NONE"]`
        test: Vec<String>,
    },
}

/// Limits; 0 stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Limits {
    /// Memory, in bytes; swap is not given on top.
    pub memory_bytes: u64,
    /// Processors, in billionths.
    pub nano_cpus: u64,
    /// Processes and threads.
    pub pids: u64,
}

/// A service in a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Attachment {
    /// Names besides the service's own.
    pub aliases: Vec<String>,
}

/// Restart policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// `no`, `always`, `unless-stopped` or `on-failure`.
    pub name: String,
    /// For `on-failure`; 0 is without end.
    pub max_retries: u64,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            name: "no".to_owned(),
            max_retries: 0,
        }
    }
}

/// How `apply` knows that a service works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Gate {
    /// `check` (the template's healthcheck), `image` (the image's) or `none`.
    pub mode: String,
    /// Until it must be healthy, in nanoseconds.
    pub timeout_ns: u64,
    /// How long it must then stay so, without a restart, in nanoseconds.
    pub hold_ns: u64,
}
