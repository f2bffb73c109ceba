//! One Docker engine: plan, status, remove, and the doors to apply and sandbox.

mod apply;
mod connect;
mod facts;
mod gate;
mod sandbox_run;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use bollard::models::{ContainerInspectResponse, ContainerSummary};
use bollard::query_parameters::{
    InspectContainerOptions, InspectNetworkOptions, ListContainersOptionsBuilder,
    ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveVolumeOptions, StopContainerOptions,
};
use serde_json::{Value, json};

use crate::config::LABEL_PROJECT;
use crate::error::{Code, EngineError, TemplateError};
use crate::model::Project;
use crate::plan::{Container, Plan, plan};
use crate::policy::Policy;
use crate::sandbox::Sandbox;
use crate::template::PROJECT_NAME;
use crate::values::show_text;
use connect::{Connection, TIMEOUT_SECONDS, connect, missing_images};
use facts::{facts, name_of, shown};
use state::StateDir;

pub use sandbox_run::SandboxResult;

/// Ends the name of a container that waits until its successor has passed the gate.
const PREVIOUS: &str = "-previous";

/// One engine and one state directory.
#[derive(Debug, Clone)]
pub struct Engine {
    address: String,
    state: StateDir,
    policy: Policy,
    running: sandbox_run::Running,
}

impl Engine {
    /// An engine at `unix:///path/of/the.sock`; records and locks are kept in `state_dir`.
    /// Nothing is connected yet: each call connects, so a restarted engine is no trouble.
    ///
    /// # Errors
    /// The address has another form.
    pub fn new(
        address: &str,
        state_dir: impl Into<PathBuf>,
        policy: Policy,
    ) -> Result<Self, TemplateError> {
        if !address.starts_with("unix:///") {
            return Err(TemplateError::one(format!(
                "docker: {}; expected unix:///path/of/the.sock",
                show_text(address)
            )));
        }
        Ok(Self {
            address: address.to_owned(),
            state: StateDir {
                path: state_dir.into(),
            },
            policy,
            running: sandbox_run::Running::new(),
        })
    }

    /// What templates and sandboxes may ask.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Ask the engine who it is: `engine` and `api` versions.
    ///
    /// # Errors
    /// `Unreachable` or `Unsupported`.
    pub async fn ping(&self) -> Result<Value, EngineError> {
        let connection = connect(&self.address).await?;
        Ok(json!({"engine": connection.engine, "api": connection.api}))
    }

    /// Say what [`Engine::apply`] would do; changes nothing.
    ///
    /// # Errors
    /// The engine.
    pub async fn plan(&self, project: &Project) -> Result<Plan, EngineError> {
        let connection = connect(&self.address).await?;
        let images = connection.images(project).await?;
        let containers: Vec<Container> = connection
            .current(&project.name)
            .await?
            .into_iter()
            .map(|(facts, _)| facts)
            .collect();
        Ok(plan(project, &images, &containers))
    }

    /// Bring the engine to the project, behind a health gate, or leave it as it was.
    ///
    /// # Errors
    /// `GateFailed` with the evidence, `Busy`, `ImageMissing`, or what the engine refused; the
    /// former containers run again.
    pub async fn apply(&self, project: &Project) -> Result<Plan, EngineError> {
        let _lock = self.state.lock(&project.name)?;
        let connection = connect(&self.address).await?;
        let images = connection.images(project).await?;
        apply::apply(&connection, &self.state, project, &images).await
    }

    /// Apply the specification before the current one, with the images it ran on.
    ///
    /// # Errors
    /// As for [`Engine::apply`]; `NotFound` if there is none.
    pub async fn rollback(&self, project: &str) -> Result<Plan, EngineError> {
        let _lock = self.state.lock(project)?;
        let Some(previous) = self.state.read(project)?.previous else {
            return Err(EngineError::new(
                Code::NotFound,
                format!("the project {project} has no former specification to return to"),
            ));
        };
        let connection = connect(&self.address).await?;
        for (name, id) in &previous.images {
            if connection.image_id(id).await?.is_none() {
                return Err(missing_images(&[format!("{name} ({id})")]));
            }
        }
        apply::apply(
            &connection,
            &self.state,
            &previous.project,
            &previous.images,
        )
        .await
    }

    /// Describe the project's containers, and whether a rollback is possible.
    ///
    /// # Errors
    /// `NotFound` if nothing of the project is here.
    pub async fn status(&self, project: &str) -> Result<Value, EngineError> {
        let record = self.state.read(project)?;
        let connection = connect(&self.address).await?;
        let found = connection.current(project).await?;
        if found.is_empty() && record.current.is_none() {
            return Err(EngineError::new(
                Code::NotFound,
                format!("no project {project} is applied here"),
            ));
        }
        let services: Vec<Value> = found.iter().map(|(facts, raw)| shown(facts, raw)).collect();
        Ok(json!({
            "project": project,
            "services": services,
            "rollback_possible": record.previous.is_some(),
        }))
    }

    /// Remove containers and networks of the project, and its volumes if asked.
    ///
    /// # Errors
    /// `Busy`, or what the engine refused.
    pub async fn remove(&self, project: &str, volumes: bool) -> Result<Value, EngineError> {
        let _lock = self.state.lock(project)?;
        let connection = connect(&self.address).await?;
        let docker = &connection.docker;
        let (mut containers, mut networks, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for item in connection.listed(project).await? {
            let id = item.id.clone().unwrap_or_default();
            connection.stop(&id).await?;
            connection.discard(&id).await?;
            containers.push(name_of(&item));
        }
        let scope = HashMap::from([("label", vec![format!("{LABEL_PROJECT}={project}")])]);
        let options = ListNetworksOptionsBuilder::default()
            .filters(&scope)
            .build();
        let found = connection.done("GET /networks", docker.list_networks(Some(options)).await)?;
        for network in found {
            let id = network.id.unwrap_or_default();
            connection.found("DELETE /networks", docker.remove_network(&id).await)?;
            networks.push(network.name.unwrap_or_default());
        }
        if volumes {
            let options = ListVolumesOptionsBuilder::default().filters(&scope).build();
            let found =
                connection.done("GET /volumes", docker.list_volumes(Some(options)).await)?;
            for volume in found.volumes.unwrap_or_default() {
                let answer = docker
                    .remove_volume(&volume.name, None::<RemoveVolumeOptions>)
                    .await;
                connection.found("DELETE /volumes", answer)?;
                gone.push(volume.name);
            }
        }
        self.state.removed(project)?;
        networks.sort();
        gone.sort();
        containers.sort();
        let removed = json!({"containers": containers, "networks": networks, "volumes": gone});
        Ok(json!({"project": project, "removed": removed}))
    }

    /// Run one throw-away container; it is removed even if the returned future is dropped (let the
    /// runtime live until [`Engine::settled`] then).
    ///
    /// # Errors
    /// `ImageMissing`, or what the engine refused.
    pub async fn sandbox(&self, sandbox: &Sandbox) -> Result<SandboxResult, EngineError> {
        let connection = connect(&self.address).await?;
        let Some(image_id) = connection.image_id(&sandbox.image).await? else {
            return Err(missing_images(std::slice::from_ref(&sandbox.image)));
        };
        sandbox_run::run(connection, sandbox.clone(), image_id, &self.running).await
    }

    /// Wait until every sandbox of this engine, those of dropped futures too, is removed.
    pub async fn settled(&self) {
        self.running.none().await;
    }

    /// Remove sandboxes whose owner died; how many.
    ///
    /// # Errors
    /// The engine.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        sandbox_run::sweep(&connect(&self.address).await?).await
    }
}

/// Refuse what cannot be a project's name: it becomes part of a file's name.
///
/// # Errors
/// With what a name looks like.
pub fn check_project_name(name: &str) -> Result<(), TemplateError> {
    if PROJECT_NAME.is_match(name) {
        return Ok(());
    }
    Err(TemplateError::one(format!(
        "project: {}; expected a project's name",
        show_text(name)
    )))
}

impl Connection {
    /// The ids of the project's images, as far as the engine has them.
    async fn images(&self, project: &Project) -> Result<BTreeMap<String, String>, EngineError> {
        let names: BTreeSet<&String> = project.services.values().map(|s| &s.image).collect();
        let mut found = BTreeMap::new();
        for name in names {
            if let Some(id) = self.image_id(name).await? {
                found.insert(name.clone(), id);
            }
        }
        Ok(found)
    }

    /// All containers of the project, stopped and former ones too.
    async fn listed(&self, project: &str) -> Result<Vec<ContainerSummary>, EngineError> {
        let scope = HashMap::from([("label", vec![format!("{LABEL_PROJECT}={project}")])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&scope)
            .build();
        let answer = self.docker.list_containers(Some(options)).await;
        let mut found = self.done("GET /containers/json", answer)?;
        found.sort_by_key(name_of);
        Ok(found)
    }

    /// The facts about the project's containers, and what inspect says of each.
    async fn current(
        &self,
        project: &str,
    ) -> Result<Vec<(Container, ContainerInspectResponse)>, EngineError> {
        let mut found = Vec::new();
        for item in self.listed(project).await? {
            let raw = self.inspect(item.id.as_deref().unwrap_or_default()).await?;
            let Some(raw) = raw else { continue };
            let facts = facts(&raw);
            if !facts.name.ends_with(PREVIOUS) {
                found.push((facts, raw));
            }
        }
        Ok(found)
    }

    /// Inspect a container; nothing if it is gone.
    async fn inspect(&self, name: &str) -> Result<Option<ContainerInspectResponse>, EngineError> {
        let answer = self
            .docker
            .inspect_container(name, None::<InspectContainerOptions>)
            .await;
        self.found(&format!("GET /containers/{name}/json"), answer)
    }

    /// Remove a container with its anonymous volumes.
    async fn discard(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let answer = self.docker.remove_container(name, Some(options)).await;
        self.found(&format!("DELETE /containers/{name}"), answer)
            .map(|_| ())
    }

    /// Stop a container within its own grace time.
    async fn stop(&self, name: &str) -> Result<(), EngineError> {
        let Some(raw) = self.inspect(name).await? else {
            return Ok(());
        };
        if !["running", "restarting", "paused"].contains(&gate::state_of(&raw).0.as_str()) {
            return Ok(());
        }
        let grace = raw
            .config
            .and_then(|config| config.stop_timeout)
            .unwrap_or(10);
        let mut patient = self.docker.clone();
        let seconds = TIMEOUT_SECONDS + u64::try_from(grace).unwrap_or(10);
        patient.set_timeout(std::time::Duration::from_secs(seconds));
        let answer = patient
            .stop_container(name, None::<StopContainerOptions>)
            .await;
        self.found(&format!("POST /containers/{name}/stop"), answer)
            .map(|_| ())
    }

    /// Whether the engine has the network or volume.
    async fn has(&self, kind: &str, name: &str) -> Result<bool, EngineError> {
        let what = format!("GET /{kind}/{name}");
        Ok(if kind == "networks" {
            let answer = self
                .docker
                .inspect_network(name, None::<InspectNetworkOptions>)
                .await;
            self.found(&what, answer)?.is_some()
        } else {
            self.found(&what, self.docker.inspect_volume(name).await)?
                .is_some()
        })
    }
}
