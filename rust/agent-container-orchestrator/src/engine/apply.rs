//! Carries a plan out: in the order of dependencies, gated, and all or nothing.
//!
//! A container that is replaced is stopped and renamed, not removed, until the whole project has
//! passed its gates. If anything fails, the new containers go (their logs and health history into
//! the error) and the old ones come back. If this process is killed in between, the next `apply`
//! finds the renamed containers and puts them back first.

use std::collections::BTreeMap;

use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RenameContainerOptionsBuilder, StartContainerOptions,
};
use serde_json::{Value, json};

use super::connect::{Connection, missing_images, typed};
use super::gate::{evidence, gate, state_of};
use super::state::{Applied, StateDir};
use super::{PREVIOUS, name_of};
use crate::config::{LABEL_PROJECT, container_config, network_config};
use crate::error::{Code, EngineError};
use crate::model::Project;
use crate::plan::{Plan, container_name, one_shot, plan};

/// One step that can be taken back.
struct Step {
    name: String,
    /// The container that stood there, and whether it ran.
    old: Option<(String, bool)>,
}

/// Bring the engine to the project. The caller holds the project's lock.
pub(super) async fn apply(
    connection: &Connection,
    state: &StateDir,
    project: &Project,
    images: &BTreeMap<String, String>,
) -> Result<Plan, EngineError> {
    let mut wanted = BTreeMap::new();
    let mut missing = Vec::new();
    for service in project.services.values() {
        match images.get(&service.image) {
            Some(id) => drop(wanted.insert(service.image.clone(), id.clone())),
            None => missing.push(service.image.clone()),
        }
    }
    if !missing.is_empty() {
        missing.sort();
        missing.dedup();
        return Err(missing_images(&missing));
    }
    recover(connection, &project.name).await?;
    let current = connection.current(&project.name).await?;
    let facts: Vec<_> = current.into_iter().map(|(facts, _)| facts).collect();
    let todo = plan(project, &wanted, &facts);
    let ids: BTreeMap<&str, &str> = facts
        .iter()
        .map(|fact| (fact.service.as_str(), fact.id.as_str()))
        .collect();
    ensure(connection, project).await?;
    let mut undo: Vec<Step> = Vec::new();
    for action in todo
        .actions
        .iter()
        .filter(|action| action.action != "remove")
    {
        let (service, name) = (action.service.as_str(), action.container.as_str());
        let starting = || {
            facts
                .iter()
                .any(|f| f.service == service && f.health == "starting")
        };
        let outcome = async {
            if action.action != "unchanged" {
                let old = ids.get(service).copied();
                replace(connection, project, service, old, &wanted, &mut undo).await?;
            } else if !starting() {
                return Ok(None);
            }
            let wanted = &project.services[service].gate;
            gate(connection, name, wanted, one_shot(project, service)).await
        };
        match outcome.await {
            Ok(None) => {}
            Ok(Some(reason)) => {
                let mut details = evidence(connection, name, service, &reason).await;
                take_back(connection, &undo, &mut details).await;
                return Err(EngineError {
                    code: Code::GateFailed,
                    message: format!("{service}: {reason}; the former state is restored"),
                    details,
                });
            }
            Err(mut error) => {
                error.details["service"] = json!(service);
                take_back(connection, &undo, &mut error.details).await;
                return Err(error);
            }
        }
    }
    for action in todo
        .actions
        .iter()
        .filter(|action| action.action == "remove")
    {
        let id = ids[action.service.as_str()];
        connection.stop(id).await?;
        connection.discard(id).await?;
    }
    for step in undo.iter().filter(|step| step.old.is_some()) {
        connection
            .discard(&format!("{}{PREVIOUS}", step.name))
            .await?;
    }
    let now = Applied {
        project: project.clone(),
        images: wanted,
    };
    state.applied(&project.name, now)?;
    Ok(todo)
}

/// Put back what an apply that was killed had set aside.
async fn recover(connection: &Connection, project: &str) -> Result<(), EngineError> {
    for item in connection.listed(project).await? {
        if let Some(name) = name_of(&item).strip_suffix(PREVIOUS) {
            let id = item.id.as_deref().unwrap_or_default();
            connection.discard(name).await?;
            rename(connection, id, name).await?;
            start(connection, id).await?;
        }
    }
    Ok(())
}

/// Make the project's networks and volumes; external ones must be there.
async fn ensure(connection: &Connection, project: &Project) -> Result<(), EngineError> {
    let labels = json!({LABEL_PROJECT: project.name});
    let external = |kind: &str, name: &str| {
        let message =
            format!("the external {kind} {name} does not exist; expected it to be made before");
        EngineError::new(Code::NotFound, message)
    };
    for network in project.networks.values() {
        if connection.has("networks", &network.name).await? {
            continue;
        }
        if network.external {
            return Err(external("network", &network.name));
        }
        let body = typed(json!({
            "Name": network.name, "Driver": "bridge", "Internal": network.internal, "Labels": labels,
        }))?;
        let answer = connection.docker.create_network(body).await;
        connection.done("POST /networks/create", answer)?;
    }
    for volume in project.volumes.values() {
        if connection.has("volumes", &volume.name).await? {
            continue;
        }
        if volume.external {
            return Err(external("volume", &volume.name));
        }
        let body: bollard::models::VolumeCreateRequest =
            typed(json!({"Name": volume.name, "Labels": labels}))?;
        let answer = connection.docker.create_volume(body).await;
        connection.done("POST /volumes/create", answer)?;
    }
    Ok(())
}

async fn replace(
    connection: &Connection,
    project: &Project,
    service: &str,
    old: Option<&str>,
    images: &BTreeMap<String, String>,
    undo: &mut Vec<Step>,
) -> Result<(), EngineError> {
    let name = container_name(&project.name, service);
    let mut step = Step {
        name: name.clone(),
        old: None,
    };
    if let Some(id) = old {
        let raw = connection.inspect(id).await?;
        let running =
            raw.is_some_and(|raw| ["running", "restarting"].contains(&state_of(&raw).0.as_str()));
        step.old = Some((id.to_owned(), running));
    }
    undo.push(step);
    if let Some(id) = old {
        connection.stop(id).await?;
        rename(connection, id, &format!("{name}{PREVIOUS}")).await?;
    }
    let spec = &project.services[service];
    let body = typed(container_config(project, service, &images[&spec.image]))?;
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let answer = connection
        .docker
        .create_container(Some(options), body)
        .await;
    let made = connection.done("POST /containers/create", answer)?.id;
    let by_name: BTreeMap<&str, _> = spec
        .networks
        .iter()
        .map(|(key, attachment)| (project.networks[key].name.as_str(), attachment))
        .collect();
    for (network, attachment) in by_name.into_iter().skip(1) {
        let endpoint = network_config(attachment, service);
        let body = typed(json!({"Container": made, "EndpointConfig": endpoint}))?;
        let answer = connection.docker.connect_network(network, body).await;
        connection.done(&format!("POST /networks/{network}/connect"), answer)?;
    }
    start(connection, &made).await
}

async fn rename(connection: &Connection, id: &str, name: &str) -> Result<(), EngineError> {
    let options = RenameContainerOptionsBuilder::default().name(name).build();
    let answer = connection.docker.rename_container(id, options).await;
    connection.done(&format!("POST /containers/{id}/rename"), answer)
}

async fn start(connection: &Connection, id: &str) -> Result<(), EngineError> {
    let answer = connection
        .docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    connection.done(&format!("POST /containers/{id}/start"), answer)
}

/// Take back in reverse order; what fails is told, and does not stop the rest.
async fn take_back(connection: &Connection, undo: &[Step], details: &mut Value) {
    let mut restored: Vec<&str> = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for step in undo.iter().rev() {
        match take_back_one(connection, step).await {
            Ok(true) => restored.push(&step.name),
            Ok(false) => {}
            Err(error) => errors.push(format!("{}: {error}", step.name)),
        }
    }
    details["restored"] = json!(restored);
    details["restore_errors"] = json!(errors);
}

async fn take_back_one(connection: &Connection, step: &Step) -> Result<bool, EngineError> {
    let Some((old, running)) = &step.old else {
        connection.discard(&step.name).await?;
        return Ok(false);
    };
    let raw = connection.inspect(old).await?;
    if raw
        .and_then(|raw| raw.name)
        .is_some_and(|name| name.ends_with(PREVIOUS))
    {
        connection.discard(&step.name).await?;
        rename(connection, old, &step.name).await?;
    }
    if *running {
        start(connection, old).await?;
    }
    Ok(true)
}
