//! Writes the bodies of the engine's create requests. Pure.

use serde_json::{Map, Value, json};

use crate::model::{Attachment, Healthcheck, Project, Service};
use crate::plan::{canonical, config_hash, container_spec};

/// Label with the project's name.
pub const LABEL_PROJECT: &str = "agentcore.project";
/// Label with the service's name.
pub const LABEL_SERVICE: &str = "agentcore.service";
/// Label with the hash of the specification.
pub const LABEL_HASH: &str = "agentcore.config-hash";
/// Label with the id of the image.
pub const LABEL_IMAGE: &str = "agentcore.image-id";
/// Label with the specification itself, as JSON.
pub const LABEL_SPEC: &str = "agentcore.spec";

/// The body of the engine's create request for a service's container.
///
/// The engine's API before 1.44 takes one network here; the others are connected afterwards.
///
/// # Panics
/// If the project has no such service.
pub fn container_config(project: &Project, service: &str, image_id: &str) -> Value {
    let spec_value = container_spec(project, service);
    let mut full = spec_value.clone();
    for (key, value) in [
        ("image", json!("")),
        ("depends_on", json!({})),
        ("gate", json!(project.services[service].gate)),
    ] {
        full[key] = value;
    }
    let spec: Service = serde_json::from_value(full).unwrap_or_default();
    let mut labels: Map<String, Value> = spec
        .labels
        .iter()
        .map(|(k, v)| (k.clone(), v.as_str().into()))
        .collect();
    for (key, value) in [
        (LABEL_PROJECT, project.name.clone()),
        (LABEL_SERVICE, service.to_owned()),
        (LABEL_HASH, config_hash(project, service)),
        (LABEL_IMAGE, image_id.to_owned()),
        (LABEL_SPEC, canonical(&spec_value)),
    ] {
        labels.insert(key.to_owned(), value.into());
    }
    let host = host_config(&spec);
    let exposed: Map<String, Value> = host["PortBindings"]
        .as_object()
        .map(|ports| ports.keys().map(|key| (key.clone(), json!({}))).collect())
        .unwrap_or_default();
    let environment: Vec<String> = spec
        .environment
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let mut body = json!({
        "Image": image_id,
        "Env": environment,
        "ExposedPorts": exposed,
        "HostConfig": host,
        "Labels": labels,
        "StopTimeout": spec.stop_grace_ns.div_ceil(1_000_000_000),
        "User": spec.user,
        "WorkingDir": spec.working_dir,
    });
    if let Some(command) = &spec.command {
        body["Cmd"] = json!(command);
    }
    if let Some(entrypoint) = &spec.entrypoint {
        body["Entrypoint"] = json!(entrypoint);
    }
    if let Some(check) = &spec.healthcheck {
        body["Healthcheck"] = healthcheck(check);
    }
    if let Some((name, network)) = spec.networks.first_key_value() {
        let mut endpoints = Map::new();
        endpoints.insert(name.clone(), network_config(network, service));
        body["NetworkingConfig"] = json!({ "EndpointsConfig": endpoints });
    }
    body
}

fn host_config(spec: &Service) -> Value {
    let mounts: Vec<Value> = spec
        .volumes
        .iter()
        .map(|mount| {
            json!({
                "Type": mount.kind,
                "Source": mount.source,
                "Target": mount.target,
                "ReadOnly": mount.read_only,
            })
        })
        .collect();
    let mut bindings: Map<String, Value> = Map::new();
    for port in &spec.ports {
        let written = match port.host_port {
            0 => String::new(),
            number => number.to_string(),
        };
        let binding = json!({"HostIp": port.host_ip, "HostPort": written});
        let key = format!("{}/{}", port.container_port, port.protocol);
        if let Value::Array(list) = bindings.entry(key).or_insert_with(|| json!([])) {
            list.push(binding);
        }
    }
    let network = match spec.networks.keys().next() {
        _ if !spec.network_mode.is_empty() => spec.network_mode.clone(),
        Some(first) => first.clone(),
        None => String::new(),
    };
    let mut host = json!({
        "CapAdd": spec.cap_add,
        "CapDrop": spec.cap_drop,
        "Init": spec.init,
        "IpcMode": spec.ipc,
        "Memory": spec.limits.memory_bytes,
        "MemorySwap": spec.limits.memory_bytes,
        "Mounts": mounts,
        "NanoCpus": spec.limits.nano_cpus,
        "NetworkMode": network,
        "PidMode": spec.pid,
        "PortBindings": bindings,
        "Privileged": spec.privileged,
        "ReadonlyRootfs": spec.read_only,
        "RestartPolicy": {
            "Name": spec.restart.name,
            "MaximumRetryCount": spec.restart.max_retries,
        },
        "SecurityOpt": spec.security_opt,
        "Tmpfs": spec.tmpfs,
    });
    if spec.limits.pids > 0 {
        host["PidsLimit"] = json!(spec.limits.pids);
    }
    host
}

/// The endpoint settings of a service in one of its networks.
pub(crate) fn network_config(network: &Attachment, service: &str) -> Value {
    let others = network
        .aliases
        .iter()
        .map(String::as_str)
        .filter(|alias| *alias != service);
    json!({"Aliases": std::iter::once(service).chain(others).collect::<Vec<_>>()})
}

fn healthcheck(check: &Healthcheck) -> Value {
    match check {
        Healthcheck::Off { test } => json!({ "Test": test }),
        Healthcheck::Probe {
            test,
            interval_ns,
            timeout_ns,
            start_period_ns,
            start_interval_ns,
            retries,
        } => {
            let mut body = json!({
                "Test": test,
                "Interval": interval_ns,
                "Timeout": timeout_ns,
                "StartPeriod": start_period_ns,
                "Retries": retries,
            });
            if *start_interval_ns > 0 {
                body["StartInterval"] = json!(start_interval_ns); // engines before 25 ignore it
            }
            body
        }
    }
}
