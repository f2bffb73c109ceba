//! What the engine says of a container, in our words.

use std::collections::HashMap;

use bollard::models::{ContainerInspectResponse, ContainerSummary};
use serde_json::{Value, json};

use super::gate;
use crate::config::{LABEL_HASH, LABEL_IMAGE, LABEL_SERVICE, LABEL_SPEC};
use crate::plan::Container;

/// The name of a listed container.
pub(super) fn name_of(item: &ContainerSummary) -> String {
    let names = item.names.as_deref().unwrap_or_default();
    names
        .first()
        .map_or("", |name| name.trim_start_matches('/'))
        .to_owned()
}

/// A container as `status` shows it.
pub(super) fn shown(facts: &Container, raw: &ContainerInspectResponse) -> Value {
    let ports = raw
        .network_settings
        .as_ref()
        .and_then(|net| net.ports.as_ref());
    let mut published: Vec<String> = Vec::new();
    for (port, bindings) in ports.into_iter().flatten() {
        for binding in bindings.as_deref().unwrap_or_default() {
            let ip = binding.host_ip.as_deref().unwrap_or_default();
            let host_port = binding.host_port.as_deref().unwrap_or_default();
            published.push(format!("{ip}:{host_port}->{port}"));
        }
    }
    published.sort();
    json!({
        "name": facts.name,
        "service": facts.service,
        "state": facts.state,
        "health": facts.health,
        "exit_code": facts.exit_code,
        "image_id": facts.image_id,
        "config_hash": facts.config_hash,
        "image": raw.config.as_ref().and_then(|config| config.image.clone()).unwrap_or_default(),
        "restarts": raw.restart_count.unwrap_or(0),
        "started_at": raw.state.as_ref().and_then(|s| s.started_at.clone()).unwrap_or_default(),
        "ports": published,
    })
}

/// A container as the plan wants it.
pub(super) fn facts(raw: &ContainerInspectResponse) -> Container {
    let none = HashMap::new();
    let labels = raw
        .config
        .as_ref()
        .and_then(|config| config.labels.as_ref())
        .unwrap_or(&none);
    let label = |key: &str| labels.get(key).cloned();
    let spec = label(LABEL_SPEC).and_then(|text| serde_json::from_str(&text).ok());
    let (status, exit_code, health) = gate::state_of(raw);
    Container {
        id: raw.id.clone().unwrap_or_default(),
        name: raw
            .name
            .as_deref()
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        service: label(LABEL_SERVICE).unwrap_or_default(),
        state: status,
        health,
        exit_code,
        image_id: label(LABEL_IMAGE)
            .or_else(|| raw.image.clone())
            .unwrap_or_default(),
        config_hash: label(LABEL_HASH).unwrap_or_default(),
        spec: spec.unwrap_or_default(),
    }
}
