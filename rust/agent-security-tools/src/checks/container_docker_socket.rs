//! No container can reach the socket of a container engine: whoever can is root on the host.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers::{self, Bind};

/// The sockets that give away the host.
const SOCKETS: [&str; 3] = [
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
];

/// The check.
pub const CHECK: Check = Check {
    id: "container-docker-socket",
    title: "no container can reach the socket of a container engine",
    severity: Severity::Critical,
    reference: "CIS Docker 1.6.0 5.32",
    fix: "Do not mount the socket or a folder above it; a read-only mount does not protect it.",
    run: |host| {
        containers::each(host, |container| {
            let reached: Vec<String> = container
                .binds()
                .iter()
                .filter(|bind| reaches(bind))
                .map(shown)
                .collect();
            Ok(if reached.is_empty() {
                Verdict::Pass("no engine socket is mounted".to_string())
            } else {
                Verdict::Fail(format!("mounts {}", reached.join(", ")))
            })
        })
    },
};

/// The bind is a socket or a folder above one. `/` without what is mounted below has no `/run`.
fn reaches(bind: &Bind) -> bool {
    if bind.source == "/" && !bind.recursive {
        return false;
    }
    SOCKETS
        .iter()
        .any(|socket| containers::is_within(socket, &bind.source))
}

fn shown(bind: &Bind) -> String {
    format!("{} at {}", bind.source, bind.destination)
}
