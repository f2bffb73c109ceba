//! Reads what connects a container with the world: ports, volumes, tmpfs, networks.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

use crate::model::{Attachment, Mount, Network, Port, Volume};
use crate::node::Node;
use crate::policy::Policy;
use crate::reading::Reader;
use crate::values::{child, clean_path, pattern, show, show_text};

pub(crate) static NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"));
static PORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:(?:(\[[0-9A-Fa-f:.]+\]|[0-9.]+):)?([0-9]{0,5}):)?([0-9]{1,5})(?:/(tcp|udp|sctp))?")
});
static TMPFS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:(?:size=[0-9]{1,12}[kmgKMG]?|mode=[0-7]{3,4}|uid=[0-9]{1,9}|gid=[0-9]{1,9}|noexec|exec|nosuid|nodev|rw|ro)(?:,|$))*",
    )
});
const PORT_FORMS: &str =
    "[host_ip:][host_port:]container_port[/tcp|udp|sctp], each port from 1 to 65535";

/// Read published ports. Without a host address a port is published on loopback alone.
pub(crate) fn read_ports(node: &Node, path: &str, reader: &mut Reader) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    for (index, item) in reader
        .items(node, path, "a list of ports")
        .iter()
        .enumerate()
    {
        let place = format!("{path}[{index}]");
        let port = if matches!(item, Node::Map(_)) {
            Some(long_port(item, &place, reader))
        } else {
            let port = short_port(item);
            if port.is_none() {
                reader.problem(&place, show(item), PORT_FORMS);
            }
            port
        };
        let Some(port) = port else { continue };
        if ports.contains(&port) {
            reader.problem(&place, "written twice", "each port once");
            continue;
        }
        ports.push(port);
    }
    ports
}

fn short_port(item: &Node) -> Option<Port> {
    let text = match item {
        Node::Int(number) => number.to_string(),
        other => other.as_text()?.to_owned(),
    };
    let parts = PORT.captures(&text)?;
    let part = |index| {
        parts
            .get(index)
            .map(|found| found.as_str())
            .filter(|s| !s.is_empty())
    };
    let host_ip = part(1).unwrap_or("127.0.0.1").trim_matches(['[', ']']);
    host_ip.parse::<IpAddr>().ok()?;
    let port = |text: &str| text.parse::<u16>().ok().map(u64::from);
    Some(Port {
        host_ip: host_ip.to_owned(),
        host_port: port(part(2).unwrap_or("0"))?,
        container_port: port(part(3)?).filter(|port| *port > 0)?,
        protocol: part(4).unwrap_or("tcp").to_owned(),
    })
}

fn long_port(item: &Node, place: &str, reader: &mut Reader) -> Port {
    let keys = ["target", "published", "host_ip", "protocol"];
    let fields = reader.mapping(item, place, &keys);
    let host_ip = match fields.find("host_ip") {
        None => "127.0.0.1".to_owned(),
        Some(Node::Text(text)) if text.parse::<IpAddr>().is_ok() => text.clone(),
        Some(other) => {
            reader.problem(&format!("{place}.host_ip"), show(other), "an IP address");
            String::new()
        }
    };
    let protocol = match fields.find("protocol") {
        None => "tcp",
        Some(Node::Text(text)) if ["tcp", "udp", "sctp"].contains(&text.as_str()) => text,
        Some(other) => {
            reader.problem(
                &format!("{place}.protocol"),
                show(other),
                "tcp, udp or sctp",
            );
            other.as_text().unwrap_or("tcp")
        }
    };
    let zero = Node::Int(0);
    let published = fields.find("published").unwrap_or(&zero);
    Port {
        host_ip,
        host_port: reader.whole(published, &format!("{place}.published"), 0, 65535),
        container_port: reader.whole(fields.get("target"), &format!("{place}.target"), 1, 65535),
        protocol: protocol.to_owned(),
    }
}

/// Read mounts of named volumes and allowed host paths, in the order written.
pub(crate) fn read_volumes(
    node: &Node,
    path: &str,
    declared: &BTreeMap<String, Volume>,
    policy: &Policy,
    reader: &mut Reader,
) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for (index, item) in reader
        .items(node, path, "a list of volumes")
        .iter()
        .enumerate()
    {
        let place = format!("{path}[{index}]");
        let mount = match item {
            Node::Map(_) => long_mount(item, &place, reader),
            other => short_mount(other, &place, reader),
        };
        let Some(mut mount) = mount else { continue };
        let Some(target) = clean_path(&mount.target).filter(|target| target != "/") else {
            let what = format!("target {}", show_text(&mount.target));
            reader.problem(&place, what, "an absolute path other than /");
            continue;
        };
        if mounts.iter().any(|other| other.target == target) {
            let what = format!("a second mount at {}", show_text(&target));
            reader.problem(&place, what, "each target once");
        }
        mount.target = target;
        if mount.kind == "bind" {
            let Some(source) = clean_path(&mount.source) else {
                let what = format!("host path {}", show_text(&mount.source));
                reader.problem(&place, what, "an absolute path");
                continue;
            };
            policy.check_bind(&source, &place, reader);
            mount.source = source;
        } else if !declared.contains_key(&mount.source) {
            reader.problem(
                &place,
                format!("volume {} is not declared", show_text(&mount.source)),
                "its name under the top-level volumes",
            );
        }
        mounts.push(mount);
    }
    mounts
}

fn short_mount(item: &Node, place: &str, reader: &mut Reader) -> Option<Mount> {
    let parts: Vec<&str> = item.as_text().unwrap_or_default().split(':').collect();
    let (source, target, read_only) = match parts.as_slice() {
        [source, target] | [source, target, "rw"] if !source.is_empty() => (source, target, false),
        [source, target, "ro"] if !source.is_empty() => (source, target, true),
        _ => {
            reader.problem(place, show(item), "source:target[:ro|rw]");
            return None;
        }
    };
    let is_path = source.starts_with(['/', '.', '~']);
    Some(Mount {
        kind: if is_path { "bind" } else { "volume" }.to_owned(),
        source: (*source).to_owned(),
        target: (*target).to_owned(),
        read_only,
    })
}

fn long_mount(item: &Node, place: &str, reader: &mut Reader) -> Option<Mount> {
    let fields = reader.mapping(item, place, &["type", "source", "target", "read_only"]);
    let kind = fields.get("type");
    let Some(name @ ("bind" | "volume")) = kind.as_text() else {
        reader.problem(
            &format!("{place}.type"),
            show(kind),
            "volume or bind (tmpfs has its own key)",
        );
        return None;
    };
    let mut text = |key: &str, expected: &str| {
        reader.text(fields.get(key), &format!("{place}.{key}"), expected, None)
    };
    Some(Mount {
        kind: name.to_owned(),
        source: text("source", "a volume name or a path"),
        target: text("target", "an absolute path"),
        read_only: reader.boolean(fields.get("read_only"), &format!("{place}.read_only")),
    })
}

/// Read tmpfs mounts: `/path` or `/path:size=16m,mode=1777`; one or a list.
pub(crate) fn read_tmpfs(node: &Node, path: &str, reader: &mut Reader) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let single = node.as_text().is_some();
    let items = if single {
        std::slice::from_ref(node)
    } else {
        reader.items(node, path, "a path or a list of paths")
    };
    for (index, item) in items.iter().enumerate() {
        let place = if single {
            path.to_owned()
        } else {
            format!("{path}[{index}]")
        };
        let text = item.as_text().unwrap_or_default();
        let (at, options) = text.split_once(':').unwrap_or((text, ""));
        let target = clean_path(at)
            .filter(|target| target != "/" && TMPFS.is_match(options) && !options.ends_with(','));
        let Some(target) = target else {
            reader.problem(&place, show(item), "/path or /path:size=16m,mode=1777");
            continue;
        };
        if found.contains_key(&target) {
            let what = format!("a second tmpfs at {}", show_text(&target));
            reader.problem(&place, what, "each target once");
        }
        found.insert(target, options.to_owned());
    }
    found
}

/// Read the networks of a service with their aliases; none written means `default`.
pub(crate) fn read_networks(
    node: &Node,
    path: &str,
    declared: &BTreeMap<String, Network>,
    reader: &mut Reader,
) -> BTreeMap<String, Attachment> {
    let mut found: Vec<(String, Attachment)> = Vec::new(); // in the order written, for messages
    match node {
        Node::Null => {}
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let place = format!("{path}[{index}]");
                let name = reader.text(item, &place, "a network's name", None);
                if !found.iter().any(|(known, _)| *known == name) {
                    found.push((name, Attachment::default()));
                }
            }
        }
        other => {
            for (name, value) in reader.any_mapping(other, path).iter() {
                let place = child(path, name);
                let aliases = reader.mapping(value, &place, &["aliases"]).get("aliases");
                let aliases = reader.texts(aliases, &format!("{place}.aliases"), "a list of names");
                found.push((name.to_owned(), Attachment { aliases }));
            }
        }
    }
    if found.is_empty() {
        found.push(("default".to_owned(), Attachment::default())); // as Compose has it
    }
    for (name, _) in &found {
        if name != "default" && !declared.contains_key(name) {
            reader.problem(
                path,
                format!("network {} is not declared", show_text(name)),
                "its name under the top-level networks",
            );
        }
    }
    found.into_iter().collect()
}
