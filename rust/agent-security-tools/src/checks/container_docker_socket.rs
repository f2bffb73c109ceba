//! No container can reach the socket of a container engine: whoever can is root on the host.
//! A bind above the socket is fine where another mount of the container hides it.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers::{self, Bind, Container};

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
    fix: "Mount no socket and no folder above it, or mask it by a tmpfs; read-only does not help.",
    run: |host| containers::each(host, |container| Ok(judge(container))),
};

fn judge(container: &Container) -> Verdict {
    let binds = container.binds();
    let above: Vec<&Bind> = binds.iter().filter(|bind| reaches(bind)).collect();
    let masks = masks(container, &binds);
    let (mut open, mut hidden) = (Vec::new(), Vec::new());
    for bind in above {
        let place = format!("{} at {}", bind.source, bind.destination);
        match hidden_by(bind, &masks) {
            None => open.push(place),
            Some(by) => hidden.push(format!("{place} is masked by {}", by.join(" and "))),
        }
    }
    if !open.is_empty() {
        Verdict::Fail(format!("mounts {}", open.join(", ")))
    } else if hidden.is_empty() {
        Verdict::Pass("no engine socket is mounted".to_string())
    } else {
        Verdict::Pass(format!("no engine socket is seen: {}", hidden.join(", ")))
    }
}

/// The bind is a socket or a folder above one. `/` without what is mounted below has no `/run`.
fn reaches(bind: &Bind) -> bool {
    if bind.source == "/" && !bind.recursive {
        return false;
    }
    SOCKETS
        .iter()
        .any(|socket| containers::is_within(socket, &bind.source))
}

/// Where a mount hides what a bind shows: a tmpfs, or a bind of something without a socket.
/// A volume does not count, for its options may bind any path.
fn masks(container: &Container, binds: &[Bind]) -> Vec<String> {
    let mut all = container.tmpfs();
    let harmless = binds.iter().filter(|bind| !reaches(bind));
    all.extend(harmless.map(|bind| bind.destination.clone()));
    all.sort();
    all
}

/// The masks that hide every socket the bind holds; `None` if one stays in sight.
fn hidden_by<'a>(bind: &Bind, masks: &'a [String]) -> Option<Vec<&'a str>> {
    let mut by = Vec::new();
    for socket in SOCKETS {
        if containers::is_within(socket, &bind.source) {
            let mask = mask_over(bind, socket, masks)?;
            if !by.contains(&mask) {
                by.push(mask);
            }
        }
    }
    Some(by)
}

/// A mask strictly below the bind (the engine mounts deeper paths later) and above the place where
/// the socket appears. A mask at `…/var/run` is none for `…/run`: the link may lead elsewhere.
fn mask_over<'a>(bind: &Bind, socket: &str, masks: &'a [String]) -> Option<&'a str> {
    let below = socket.strip_prefix(bind.source.trim_end_matches('/'))?;
    let seen = format!("{}{below}", bind.destination);
    let covers = |mask: &&String| {
        **mask != bind.destination
            && containers::is_within(mask, &bind.destination)
            && containers::is_within(&seen, mask)
    };
    masks.iter().find(covers).map(String::as_str)
}
