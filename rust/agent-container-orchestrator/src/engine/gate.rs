//! The health gate: waits until a container works, and fails as soon as it cannot.

use std::time::{Duration, Instant};

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::connect::Connection;
use crate::error::EngineError;
use crate::model::Gate;

const POLL: Duration = Duration::from_millis(200);
const LOG_LINES: &str = "100";
const LOG_BYTES: usize = 16_384;

/// Status, exit code and health (empty without a healthcheck) of a container.
pub(super) fn state_of(raw: &ContainerInspectResponse) -> (String, i64, String) {
    let Some(state) = &raw.state else {
        return (String::new(), 0, String::new());
    };
    let status = state
        .status
        .map_or(String::new(), |status| status.to_string());
    let health = state.health.as_ref().and_then(|health| health.status);
    let health = health.map_or(String::new(), |status| status.to_string());
    (status, state.exit_code.unwrap_or(0), health)
}

/// Wait until the container passes; `Ok(Some(reason))` if it cannot.
pub(super) async fn gate(
    connection: &Connection,
    name: &str,
    gate: &Gate,
    one_shot: bool,
) -> Result<Option<String>, EngineError> {
    let timeout = Duration::from_nanos(gate.timeout_ns);
    let hold = Duration::from_nanos(gate.hold_ns);
    let begun = Instant::now();
    let mut good_since: Option<Instant> = None;
    loop {
        let Some(raw) = connection.inspect(name).await? else {
            return Ok(Some("the container vanished".to_owned()));
        };
        let now = Instant::now();
        let (status, exit_code, health) = state_of(&raw);
        if one_shot && status == "exited" && exit_code == 0 {
            return Ok(None);
        }
        if status == "exited" || status == "dead" {
            return Ok(Some(format!("exited with status {exit_code}")));
        }
        if raw.restart_count.unwrap_or(0) > 0 || status == "restarting" {
            return Ok(Some(format!(
                "restarted after an exit with status {exit_code}"
            )));
        }
        if health == "unhealthy" {
            return Ok(Some("unhealthy".to_owned()));
        }
        if gate.mode != "none" && (health.is_empty() || health == "none") {
            let why = "neither the template nor the image has a healthcheck";
            return Ok(Some(why.to_owned()));
        }
        if !one_shot && (gate.mode == "none" || health == "healthy") {
            if now.duration_since(*good_since.get_or_insert(now)) >= hold {
                return Ok(None);
            }
        } else {
            good_since = None;
            if now.duration_since(begun) >= timeout {
                let verb = if one_shot { "end" } else { "become healthy" };
                return Ok(Some(format!(
                    "did not {verb} within {} s",
                    timeout.as_secs_f64()
                )));
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Keep what explains a failure, before the container goes.
pub(super) async fn evidence(
    connection: &Connection,
    name: &str,
    service: &str,
    reason: &str,
) -> Value {
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .tail(LOG_LINES)
        .build();
    let mut stream = std::pin::pin!(connection.docker.logs(name, Some(options)));
    let mut log: Vec<u8> = Vec::new();
    while let Some(Ok(frame)) = stream.next().await {
        log.extend_from_slice(frame.as_ref());
        let extra = log.len().saturating_sub(LOG_BYTES);
        log.drain(..extra);
    }
    let raw = connection.inspect(name).await.ok().flatten();
    let probes = raw
        .and_then(|raw| raw.state)
        .and_then(|state| state.health)
        .and_then(|health| health.log)
        .unwrap_or_default();
    let health: Vec<Value> = probes
        .iter()
        .map(|probe| json!({"exit_code": probe.exit_code, "output": probe.output, "start": probe.start}))
        .collect();
    json!({
        "service": service,
        "container": name,
        "reason": reason,
        "log": String::from_utf8_lossy(&log),
        "health": health,
    })
}
