//! The policy: what a template or sandbox may ask of the host. Data, never code.
//!
//! The default refuses whatever gives a container the host: privileged mode, the host's process or
//! network namespace, the engine's socket, host paths, and capabilities beyond Docker's own set.

use serde::Serialize;

use crate::error::TemplateError;
use crate::node::Node;
use crate::reading::Reader;
use crate::values::{clean_path, show, show_text};

/// Paths of engine sockets: to hold one is to be root on the host.
pub const SOCKETS: [&str; 6] = [
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/run/podman/podman.sock",
];

/// What Docker grants anyway, so adding one back after `cap_drop: [ALL]` gives nothing new.
const DEFAULT_CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const KEYS: [&str; 12] = [
    "allow_engine_socket",
    "allow_host_network",
    "allow_host_pid",
    "allow_privileged",
    "allow_unconfined",
    "bind_mounts",
    "cap_add",
    "sandbox_allow_network",
    "sandbox_max_memory_bytes",
    "sandbox_max_nano_cpus",
    "sandbox_max_pids",
    "sandbox_max_seconds",
];

/// What a template or sandbox may ask of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(clippy::struct_excessive_bools)] // independent permissions, not states
pub struct Policy {
    /// May mount the engine's socket.
    pub allow_engine_socket: bool,
    /// May use the host's network namespace.
    pub allow_host_network: bool,
    /// May use the host's process or IPC namespace.
    pub allow_host_pid: bool,
    /// May run privileged.
    pub allow_privileged: bool,
    /// May run without seccomp or `AppArmor`.
    pub allow_unconfined: bool,
    /// Host paths that may be mounted, with all below them.
    pub bind_mounts: Vec<String>,
    /// Capabilities that may be added, without `CAP_`.
    pub cap_add: Vec<String>,
    /// A sandbox may have the engine's default network.
    pub sandbox_allow_network: bool,
    /// Most memory of a sandbox, in bytes.
    pub sandbox_max_memory_bytes: u64,
    /// Most processor time of a sandbox, in billionths of a processor.
    pub sandbox_max_nano_cpus: u64,
    /// Most processes of a sandbox.
    pub sandbox_max_pids: u64,
    /// Longest run of a sandbox, in seconds.
    pub sandbox_max_seconds: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_engine_socket: false,
            allow_host_network: false,
            allow_host_pid: false,
            allow_privileged: false,
            allow_unconfined: false,
            bind_mounts: Vec::new(),
            cap_add: DEFAULT_CAPABILITIES.map(str::to_owned).to_vec(),
            sandbox_allow_network: false,
            sandbox_max_memory_bytes: 536_870_912,
            sandbox_max_nano_cpus: 1_000_000_000,
            sandbox_max_pids: 256,
            sandbox_max_seconds: 120,
        }
    }
}

impl Policy {
    /// Validate a policy and write out its defaults.
    ///
    /// # Errors
    /// An unknown key, a relative path, a value of the wrong type.
    pub fn parse(data: &Node) -> Result<Self, TemplateError> {
        let mut reader = Reader::default();
        let node = reader.mapping(data, "policy", &KEYS);
        let mut flag = |name: &str| reader.boolean(node.get(name), &format!("policy.{name}"));
        let mut policy = Self {
            allow_engine_socket: flag("allow_engine_socket"),
            allow_host_network: flag("allow_host_network"),
            allow_host_pid: flag("allow_host_pid"),
            allow_privileged: flag("allow_privileged"),
            allow_unconfined: flag("allow_unconfined"),
            sandbox_allow_network: flag("sandbox_allow_network"),
            ..Self::default()
        };
        let mut limit = |name: &str, slot: &mut u64, high: u64| match node.get(name) {
            Node::Null => {}
            given => *slot = reader.whole(given, &format!("policy.{name}"), 1, high),
        };
        limit(
            "sandbox_max_memory_bytes",
            &mut policy.sandbox_max_memory_bytes,
            1 << 50,
        );
        limit(
            "sandbox_max_nano_cpus",
            &mut policy.sandbox_max_nano_cpus,
            1_000_000_000_000,
        );
        limit("sandbox_max_pids", &mut policy.sandbox_max_pids, 100_000);
        limit(
            "sandbox_max_seconds",
            &mut policy.sandbox_max_seconds,
            86_400,
        );
        let binds = node.get("bind_mounts");
        let items = reader.items(binds, "policy.bind_mounts", "a list of absolute paths");
        for (index, item) in items.iter().enumerate() {
            match item.as_text().and_then(clean_path) {
                Some(path) => policy.bind_mounts.push(path),
                None => reader.problem(
                    &format!("policy.bind_mounts[{index}]"),
                    show(item),
                    "an absolute path",
                ),
            }
        }
        if let Some(given) = node.find("cap_add") {
            let names = reader.texts(given, "policy.cap_add", "a list of capabilities");
            policy.cap_add = names
                .iter()
                .filter(|name| name.is_ascii())
                .map(|name| name.to_ascii_uppercase())
                .map(|name| name.strip_prefix("CAP_").unwrap_or(&name).to_owned())
                .collect();
            policy.cap_add.sort();
            policy.cap_add.dedup();
        }
        if reader.problems.is_empty() {
            Ok(policy)
        } else {
            Err(TemplateError {
                problems: reader.problems,
            })
        }
    }

    /// Note a problem unless this host path may be mounted.
    pub(crate) fn check_bind(&self, source: &str, path: &str, reader: &mut Reader) {
        let holds_socket =
            source.ends_with("/docker.sock") || SOCKETS.iter().any(|socket| inside(socket, source));
        if holds_socket && !self.allow_engine_socket {
            reader.problem(
                path,
                format!(
                    "{} holds the engine's socket, which gives the whole host",
                    show_text(source)
                ),
                "no such mount, or allow_engine_socket in the policy",
            );
        } else if !self.bind_mounts.iter().any(|root| inside(source, root)) {
            let roots = match self.bind_mounts.as_slice() {
                [] => "none".to_owned(),
                roots => roots.join(", "),
            };
            reader.problem(
                path,
                format!("host path {} is not allowed", show_text(source)),
                format!("a named volume or a path in the policy's bind_mounts ({roots})"),
            );
        }
    }
}

/// Whether a normalized path is `root` or lies below it.
fn inside(path: &str, root: &str) -> bool {
    path == root
        || root == "/"
        || path
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with('/'))
}
