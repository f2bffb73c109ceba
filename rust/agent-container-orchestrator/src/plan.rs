//! Compares a project with the containers that exist. Pure: the caller looks at the engine.
//!
//! A container carries the specification that made it in a label, so a difference can be told
//! attribute by attribute without any state besides the engine's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::model::Project;
use crate::template::dependency_order;

const HIDDEN: &str = "(hidden)";
const NOT_OF_THE_CONTAINER: [&str; 3] = ["depends_on", "gate", "image"];

/// What is known about an existing container of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Id in the engine.
    #[serde(default)]
    pub id: String,
    /// Name in the engine.
    pub name: String,
    /// Service it belongs to.
    pub service: String,
    /// `created`, `running`, `restarting`, `exited`, …
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`, or empty without a healthcheck.
    pub health: String,
    /// Of its last end.
    pub exit_code: i64,
    /// Image that it was made from.
    pub image_id: String,
    /// Hash of the specification that made it.
    pub config_hash: String,
    /// The specification that made it, null if unknown.
    pub spec: Value,
}

/// What `apply` would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// How many actions change something.
    pub changes: usize,
    /// In the order of execution.
    pub actions: Vec<Action>,
}

/// What would be done to one container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Service.
    pub service: String,
    /// Container's name.
    pub container: String,
    /// `create`, `recreate`, `unchanged` or `remove`.
    pub action: String,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// One difference; values of environment variables are not shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Path of the attribute.
    pub attribute: String,
    /// As it is.
    pub before: Value,
    /// As it will be.
    pub after: Value,
}

fn reason(attribute: &str, before: impl Into<Value>, after: impl Into<Value>) -> Reason {
    Reason {
        attribute: attribute.to_owned(),
        before: before.into(),
        after: after.into(),
    }
}

/// JSON written in one way only: sorted keys, no spaces.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let parts: Vec<String> = sorted
                .iter()
                .map(|(key, value)| format!("{}:{}", json!(key), canonical(value)))
                .collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", parts.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// The name of a service's container.
pub fn container_name(project: &str, service: &str) -> String {
    format!("{project}-{service}")
}

/// All that makes a service's container what it is, except the image behind its name.
///
/// Names of networks and volumes are those of the engine. How a service is gated and what it waits
/// for do not belong: changing them restarts nothing.
pub(crate) fn container_spec(project: &Project, service: &str) -> Value {
    let mut wanted = project.services[service].clone();
    wanted.networks = wanted
        .networks
        .into_iter()
        .map(|(key, value)| {
            let name = project.networks.get(&key).map_or(key, |n| n.name.clone());
            (name, value)
        })
        .collect();
    for mount in wanted
        .volumes
        .iter_mut()
        .filter(|mount| mount.kind == "volume")
    {
        if let Some(volume) = project.volumes.get(&mount.source) {
            mount.source.clone_from(&volume.name);
        }
    }
    let mut spec = serde_json::to_value(&wanted).unwrap_or_default();
    if let Value::Object(map) = &mut spec {
        for key in NOT_OF_THE_CONTAINER {
            map.remove(key);
        }
    }
    spec
}

/// The SHA-256 of a service's container specification, in hex.
pub fn config_hash(project: &Project, service: &str) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(canonical(&container_spec(project, service)));
    digest
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Whether another service waits for this one to end.
pub fn one_shot(project: &Project, service: &str) -> bool {
    project.services.values().any(|other| {
        other
            .depends_on
            .get(service)
            .is_some_and(|c| c == "service_completed_successfully")
    })
}

/// Say what must be done so that the containers are as the project wants them.
///
/// `images` maps an image's name as written to its id, for those the engine has.
pub fn plan(
    project: &Project,
    images: &BTreeMap<String, String>,
    containers: &[Container],
) -> Plan {
    let mut existing: BTreeMap<&str, &Container> =
        containers.iter().map(|c| (c.service.as_str(), c)).collect();
    let mut actions = Vec::new();
    for name in dependency_order(&project.services) {
        let image = &project.services[&name].image;
        let (action, reasons) = match existing.remove(name.as_str()) {
            None => (
                "create",
                vec![reason("container", Value::Null, image.as_str())],
            ),
            Some(current) => {
                let reasons = differences(project, &name, images.get(image), current);
                let action = if reasons.is_empty() {
                    "unchanged"
                } else {
                    "recreate"
                };
                (action, reasons)
            }
        };
        actions.push(Action {
            container: container_name(&project.name, &name),
            service: name,
            action: action.to_owned(),
            reasons,
        });
    }
    for (name, container) in existing {
        actions.push(Action {
            service: name.to_owned(),
            container: container.name.clone(),
            action: "remove".to_owned(),
            reasons: vec![reason("service", name, Value::Null)],
        });
    }
    Plan {
        project: project.name.clone(),
        changes: actions.iter().filter(|a| a.action != "unchanged").count(),
        actions,
    }
}

fn differences(
    project: &Project,
    name: &str,
    image_id: Option<&String>,
    current: &Container,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if Some(&current.image_id) != image_id {
        reasons.push(reason(
            "image_id",
            current.image_id.as_str(),
            image_id.cloned(),
        ));
    }
    let wanted = config_hash(project, name);
    if current.config_hash != wanted {
        let known = reasons.len();
        if current.spec.is_object() {
            compare(
                &current.spec,
                &container_spec(project, name),
                "",
                &mut reasons,
            );
        }
        if reasons.len() == known {
            reasons.push(reason("config_hash", current.config_hash.as_str(), wanted));
        }
    }
    let state = current.state.as_str();
    if one_shot(project, name) {
        if state != "exited" || current.exit_code != 0 {
            let before = match state {
                "exited" => format!("{state} ({})", current.exit_code),
                other => other.to_owned(),
            };
            reasons.push(reason("state", before, "exited (0)"));
        }
    } else if state != "running" {
        reasons.push(reason("state", state, "running"));
    } else if current.health == "unhealthy" {
        reasons.push(reason("health", "unhealthy", "healthy"));
    }
    reasons
}

/// Note each attribute that differs; lists are compared whole.
fn compare(before: &Value, after: &Value, path: &str, reasons: &mut Vec<Reason>) {
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let place = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let value = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
            compare(&value(old), &value(new), &place, reasons);
        }
    } else if before != after {
        let secret = path.starts_with("environment.");
        let shown = |value: &Value| match value {
            Value::Null => Value::Null,
            _ if secret => HIDDEN.into(),
            other => other.clone(),
        };
        reasons.push(reason(path, shown(before), shown(after)));
    }
}
