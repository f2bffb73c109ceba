//! Reads what a service may reach and do: its networks, namespaces, capabilities, confinement.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::Service;
use crate::mounts::read_networks;
use crate::node::Node;
use crate::policy::Policy;
use crate::reading::{Fields, Reader};
use crate::service::Surroundings;
use crate::values::{pattern, show, show_text};

static APPARMOR: LazyLock<Regex> = LazyLock::new(|| pattern(r"apparmor[=:][A-Za-z0-9_.-]{1,64}"));
static CAPABILITY: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:CAP_)?([A-Z_]{2,40})"));
/// Read `network_mode` or `networks`.
pub(crate) fn network(
    s: &Fields,
    path: &str,
    around: &Surroundings,
    service: &mut Service,
    reader: &mut Reader,
) {
    let mode = s.get("network_mode");
    if *mode == Node::Null {
        let place = format!("{path}.networks");
        service.networks = read_networks(s.get("networks"), &place, around.networks, reader);
        return;
    }
    let place = format!("{path}.network_mode");
    match mode.as_text() {
        Some("none") => {}
        Some("host") => {
            if !around.policy.allow_host_network {
                reader.problem(
                    &place,
                    "the host's network",
                    "none, or allow_host_network in the policy",
                );
            }
        }
        _ => reader.problem(&place, show(mode), "none or host, or the key networks"),
    }
    mode.as_text()
        .unwrap_or_default()
        .clone_into(&mut service.network_mode);
    if *s.get("networks") != Node::Null {
        reader.problem(
            &format!("{path}.networks"),
            "written beside network_mode",
            "one of the two",
        );
    }
}

/// Read what the container may do beyond its own walls.
pub(crate) fn rights(
    s: &Fields,
    path: &str,
    policy: &Policy,
    service: &mut Service,
    reader: &mut Reader,
) {
    let at = |key: &str| format!("{path}.{key}");
    service.privileged = reader.boolean(s.get("privileged"), &at("privileged"));
    if service.privileged && !policy.allow_privileged {
        reader.problem(
            &at("privileged"),
            "true gives the host",
            "false, or allow_privileged in the policy",
        );
    }
    let mut namespace = |key: &str| {
        let value = s.get(key);
        if *value != Node::Null && value.as_text() != Some("host") {
            reader.problem(&at(key), show(value), "host, or no such key");
        } else if *value != Node::Null && !policy.allow_host_pid {
            reader.problem(
                &at(key),
                "the host's namespace",
                "no such key, or allow_host_pid in the policy",
            );
        }
        value.as_text().unwrap_or_default().to_owned()
    };
    service.pid = namespace("pid");
    service.ipc = namespace("ipc");
    service.cap_drop = capabilities(s.get("cap_drop"), &at("cap_drop"), reader);
    service.cap_add = capabilities(s.get("cap_add"), &at("cap_add"), reader);
    for name in service
        .cap_add
        .iter()
        .filter(|name| !policy.cap_add.contains(name))
    {
        reader.problem(
            &at("cap_add"),
            format!("capability {name} is not allowed"),
            format!("one of the policy's cap_add: {}", policy.cap_add.join(", ")),
        );
    }
    let place = at("security_opt");
    let options = reader.texts(s.get("security_opt"), &place, "a list of options");
    service.security_opt = options
        .iter()
        .enumerate()
        .map(|(index, text)| security_option(text, &format!("{place}[{index}]"), policy, reader))
        .collect();
}

fn capabilities(node: &Node, path: &str, reader: &mut Reader) -> Vec<String> {
    let mut found = Vec::new();
    let texts = reader.texts(node, path, "a list of capabilities");
    for (index, text) in texts.iter().enumerate() {
        let upper = if text.is_ascii() {
            text.to_ascii_uppercase()
        } else {
            String::new()
        };
        match CAPABILITY.captures(&upper) {
            Some(parts) => found.push(parts[1].to_owned()),
            None => reader.problem(
                &format!("{path}[{index}]"),
                show_text(text),
                "a capability such as NET_BIND_SERVICE or ALL",
            ),
        }
    }
    found.sort();
    found.dedup();
    found
}

fn security_option(text: &str, path: &str, policy: &Policy, reader: &mut Reader) -> String {
    match text {
        "seccomp=unconfined"
        | "seccomp:unconfined"
        | "apparmor=unconfined"
        | "apparmor:unconfined" => {
            if !policy.allow_unconfined {
                reader.problem(
                    path,
                    show_text(text),
                    "confinement, or allow_unconfined in the policy",
                );
            }
        }
        "no-new-privileges" | "no-new-privileges:true" | "no-new-privileges=true" => {
            return "no-new-privileges:true".to_owned();
        }
        other if APPARMOR.is_match(other) => {}
        _ => reader.problem(
            path,
            show_text(text),
            "no-new-privileges:true, apparmor=NAME, or an allowed seccomp=unconfined",
        ),
    }
    text.replace(':', "=")
}
