//! Reads one service of a template into the normal form: every field present, every default out.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::health::{read_gate, read_healthcheck};
use crate::interpolation::Variables;
use crate::model::{Limits, Network, Restart, Service, Volume};
use crate::mounts::{read_ports, read_tmpfs, read_volumes};
use crate::node::Node;
use crate::policy::Policy;
use crate::reading::{Fields, Reader};
use crate::rights::{network, rights};
use crate::values::{
    child, clean_path, parse_bytes, parse_decimal, parse_duration, pattern, show, show_text,
    split_words,
};

const SERVICE_KEYS: [&str; 29] = [
    "cap_add",
    "cap_drop",
    "command",
    "cpus",
    "depends_on",
    "deploy",
    "entrypoint",
    "environment",
    "healthcheck",
    "image",
    "init",
    "ipc",
    "labels",
    "mem_limit",
    "network_mode",
    "networks",
    "pid",
    "pids_limit",
    "ports",
    "privileged",
    "read_only",
    "restart",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "user",
    "volumes",
    "working_dir",
    "x-health",
];
pub(crate) const CONDITIONS: [&str; 3] = [
    "service_started",
    "service_healthy",
    "service_completed_successfully",
];
const RESERVED_LABEL: &str = "agentcore.";
/// Bytes; the engine refuses less.
pub(crate) const MIN_MEMORY: u64 = 6_291_456;

pub(crate) static IMAGE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}"));
pub(crate) static USER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9_.-]{1,64}(?::[A-Za-z0-9_.-]{1,64})?"));
static RESTART: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(no|always|unless-stopped|on-failure)(?::([0-9]{1,4}))?"));

/// What a service is read against.
pub(crate) struct Surroundings<'a> {
    pub variables: &'a Variables,
    pub policy: &'a Policy,
    pub networks: &'a BTreeMap<String, Network>,
    pub volumes: &'a BTreeMap<String, Volume>,
}

/// Read one service; problems go to the reader.
pub(crate) fn read_service(
    node: &Node,
    path: &str,
    around: &Surroundings,
    reader: &mut Reader,
) -> Service {
    let s = reader.mapping(node, path, &SERVICE_KEYS);
    let at = |key: &str| format!("{path}.{key}");
    let mut service = Service {
        image: reader.text(
            s.get("image"),
            &at("image"),
            "an image's name or id; builds are not done here",
            Some(&IMAGE),
        ),
        command: words(s.get("command"), &at("command"), reader),
        entrypoint: words(s.get("entrypoint"), &at("entrypoint"), reader),
        environment: reader.pairs(
            s.get("environment"),
            &at("environment"),
            Some(around.variables),
        ),
        ports: read_ports(s.get("ports"), &at("ports"), reader),
        volumes: read_volumes(
            s.get("volumes"),
            &at("volumes"),
            around.volumes,
            around.policy,
            reader,
        ),
        tmpfs: read_tmpfs(s.get("tmpfs"), &at("tmpfs"), reader),
        healthcheck: read_healthcheck(s.get("healthcheck"), &at("healthcheck"), reader),
        limits: limits(&s, path, reader),
        depends_on: depends_on(s.get("depends_on"), &at("depends_on"), reader),
        ..Service::default()
    };
    network(&s, path, around, &mut service, reader);
    service.user = match s.get("user") {
        Node::Null => String::new(),
        user => reader.text(user, &at("user"), "user or user:group", Some(&USER)),
    };
    service.read_only = reader.boolean(s.get("read_only"), &at("read_only"));
    service.init = reader.boolean(s.get("init"), &at("init"));
    rights(&s, path, around.policy, &mut service, reader);
    service.labels = labels(s.get("labels"), &at("labels"), reader);
    service.restart = restart(s.get("restart"), &at("restart"), reader);
    service.working_dir = match s.get("working_dir") {
        Node::Null => String::new(),
        given => given.as_text().and_then(clean_path).unwrap_or_else(|| {
            reader.problem(&at("working_dir"), show(given), "an absolute path");
            String::new()
        }),
    };
    service.stop_grace_ns = match s.get("stop_grace_period") {
        Node::Null => 10_000_000_000,
        given => given.as_text().and_then(parse_duration).unwrap_or_else(|| {
            reader.problem(
                &at("stop_grace_period"),
                show(given),
                "a duration such as 10s or 1m",
            );
            0
        }),
    };
    service.gate = read_gate(
        s.get("x-health"),
        service.healthcheck.as_ref(),
        path,
        reader,
    );
    service
}

/// Read labels; problems come in the order of their names.
fn labels(node: &Node, path: &str, reader: &mut Reader) -> BTreeMap<String, String> {
    let labels = reader.pairs(node, path, None);
    for key in labels.keys().filter(|key| key.starts_with(RESERVED_LABEL)) {
        reader.problem(
            &child(path, key),
            "a reserved label",
            format!("one not under {RESERVED_LABEL}"),
        );
    }
    labels
}

fn words(node: &Node, path: &str, reader: &mut Reader) -> Option<Vec<String>> {
    match node {
        Node::Null => None,
        Node::Text(line) => {
            let words = split_words(line);
            if words.is_none() {
                reader.problem(
                    path,
                    format!("{} has an open quote", show_text(line)),
                    "a closed one, or a list",
                );
            }
            words
        }
        list => Some(reader.texts(list, path, "a command line or a list of words")),
    }
}

/// Read both spellings; 0 stands for no limit.
fn limits(s: &Fields, path: &str, reader: &mut Reader) -> Limits {
    let deploy = reader.mapping(s.get("deploy"), &format!("{path}.deploy"), &["resources"]);
    let resources = reader.mapping(
        deploy.get("resources"),
        &format!("{path}.deploy.resources"),
        &["limits"],
    );
    let place = format!("{path}.deploy.resources.limits");
    let new = reader.mapping(resources.get("limits"), &place, &["cpus", "memory", "pids"]);
    let mut read = |old_key: &str, new_key: &str, one: fn(&Node, &str, &mut Reader) -> u64| {
        let old_path = format!("{path}.{old_key}");
        let new_path = format!("{place}.{new_key}");
        let mut value = |node: &Node, path: &str| match node {
            Node::Null => None,
            node => Some(one(node, path, reader)),
        };
        let found = (
            value(s.get(old_key), &old_path),
            value(new.get(new_key), &new_path),
        );
        if let (Some(old), Some(new)) = found
            && old != new
        {
            reader.problem(
                &old_path,
                format!("differs from {new_path}"),
                "one of the two",
            );
        }
        found.0.or(found.1).unwrap_or(0)
    };
    Limits {
        memory_bytes: read("mem_limit", "memory", |node, path, reader| {
            let size = parse_bytes(&reader.scalar(node, path));
            if size.is_none_or(|size| size < MIN_MEMORY) {
                reader.problem(
                    path,
                    show(node),
                    "a size of 6m or more, such as 64m or 1.5g",
                );
            }
            size.unwrap_or(0)
        }),
        nano_cpus: read("cpus", "cpus", |node, path, reader| {
            let share = parse_decimal(&reader.scalar(node, path));
            if share.is_none_or(|share| share < 1_000_000) {
                reader.problem(
                    path,
                    show(node),
                    "a number of processors of 0.001 or more, such as 0.5",
                );
            }
            share.unwrap_or(0)
        }),
        pids: read("pids_limit", "pids", |node, path, reader| {
            reader.whole(node, path, 1, 4_194_304)
        }),
    }
}

fn depends_on(node: &Node, path: &str, reader: &mut Reader) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Node::List(items) = node {
        for (index, item) in items.iter().enumerate() {
            let name = reader.text(item, &format!("{path}[{index}]"), "a service's name", None);
            found.insert(name, CONDITIONS[0].to_owned());
        }
        return found;
    }
    for (name, value) in reader.any_mapping(node, path).iter() {
        let place = child(path, name);
        let fields = reader.mapping(value, &place, &["condition"]);
        let condition = match fields.find("condition") {
            None => CONDITIONS[0],
            Some(Node::Text(text)) if CONDITIONS.contains(&text.as_str()) => text,
            Some(other) => {
                reader.problem(
                    &format!("{place}.condition"),
                    show(other),
                    format!("one of {}", CONDITIONS.join(", ")),
                );
                CONDITIONS[0]
            }
        };
        found.insert(name.to_owned(), condition.to_owned());
    }
    found
}

fn restart(node: &Node, path: &str, reader: &mut Reader) -> Restart {
    if matches!(node, Node::Null | Node::Bool(false)) {
        return Restart::default(); // `restart: no` was a boolean to YAML 1.1
    }
    let parts = node.as_text().and_then(|text| RESTART.captures(text));
    let parts = parts.filter(|parts| parts.get(2).is_none() || &parts[1] == "on-failure");
    if let Some(parts) = parts {
        let max_retries = parts.get(2).map_or(0, |n| n.as_str().parse().unwrap_or(0));
        return Restart {
            name: parts[1].to_owned(),
            max_retries,
        };
    }
    reader.problem(
        path,
        show(node),
        "no, always, unless-stopped, on-failure or on-failure:N",
    );
    Restart::default()
}
