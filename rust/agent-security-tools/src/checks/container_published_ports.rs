//! Containers publish ports on named addresses, not on all of the host's.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers::{self, Container};
use serde_json::{Map, Value};

/// The check.
pub const CHECK: Check = Check {
    id: "container-published-ports",
    title: "containers publish no port on all addresses of the host",
    severity: Severity::High,
    reference: "CIS Docker 1.6.0 5.14",
    fix: "Publish as `-p ADDRESS:PORT:PORT`; Docker's rules go before the host's firewall.",
    run: |host| {
        containers::each(host, |container| {
            let open = open_ports(container);
            Ok(if open.is_empty() {
                Verdict::Pass("none on all addresses".to_string())
            } else {
                Verdict::Fail(format!("publishes {}", open.join(", ")))
            })
        })
    },
};

/// What the engine did (`NetworkSettings.Ports`), or was told to do if it left no trace.
fn open_ports(container: &Container) -> Vec<String> {
    let settings = container.config.get("NetworkSettings");
    let done = settings.and_then(|settings| settings.get("Ports")?.as_object());
    let told = container
        .host_config
        .get("PortBindings")
        .and_then(Value::as_object);
    let ports = done.filter(|ports| !ports.is_empty()).or(told);
    let mut open: Vec<String> = ports.into_iter().flat_map(all_addresses).collect();
    open.sort();
    open.dedup();
    open
}

fn all_addresses(ports: &Map<String, Value>) -> Vec<String> {
    let mut open = Vec::new();
    for (port, bindings) in ports {
        for binding in bindings.as_array().into_iter().flatten() {
            let text = |key: &str| binding.get(key).and_then(Value::as_str).unwrap_or("");
            match text("HostIp") {
                "" | "0.0.0.0" => open.push(format!("0.0.0.0:{} as {port}", text("HostPort"))),
                "::" => open.push(format!("[::]:{} as {port}", text("HostPort"))),
                _ => {}
            }
        }
    }
    open
}
