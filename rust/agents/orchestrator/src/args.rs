//! The flags and commands.

use std::path::PathBuf;

use agent_container_orchestrator::{Engine, Node, Policy, TemplateError};
use agent_kit::{Listen, LogArgs, ProbeCommand};
use clap::{Parser, Subcommand};

/// Runs container templates and sandboxes.
#[derive(Debug, Parser)]
#[command(name = "orchestrator", version)]
pub struct Args {
    /// Address of the admin server: HOST:PORT, or `unix:/path`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9820")]
    pub listen: Listen,
    /// Unix socket of the API, made with mode 0660.
    #[arg(long, value_name = "PATH", default_value = "/run/agentcore/orchestrator.sock", value_parser = absolute)]
    pub socket: PathBuf,
    /// The engine.
    #[arg(long, value_name = "ADDRESS", default_value = "unix:///var/run/docker.sock", value_parser = engine_address, global = true)]
    pub docker: String,
    /// Folder of the records that rollbacks need.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/var/lib/agentcore/orchestrator",
        global = true
    )]
    pub state_dir: PathBuf,
    /// JSON file that says what templates and sandboxes may ask of the host.
    #[arg(long, value_name = "FILE", global = true)]
    pub policy: Option<PathBuf>,
    /// Form and level of the log.
    #[command(flatten)]
    pub log: LogArgs,
    /// A command instead of the daemon.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do; without one the daemon serves.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve (the default).
    Serve,
    /// Show what apply would do.
    Plan(TemplateArgs),
    /// Bring the engine to the template, or leave it as it was.
    Apply(TemplateArgs),
    /// Describe a project's containers.
    Status(ProjectArgs),
    /// Apply the specification before the current one.
    Rollback(ProjectArgs),
    /// Remove a project's containers and networks.
    Remove {
        /// Which project.
        #[command(flatten)]
        project: ProjectArgs,
        /// Its volumes too.
        #[arg(long)]
        volumes: bool,
    },
    /// Run a throw-away container from a request in JSON or YAML; exits as the container did.
    Sandbox {
        /// The request; - for standard input.
        file: PathBuf,
        /// Print the whole result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Commands that every daemon has.
    #[command(flatten)]
    Kit(ProbeCommand),
}

/// A template and its variables.
#[derive(Debug, Clone, clap::Args)]
pub struct TemplateArgs {
    /// The template, Compose syntax; - for standard input.
    pub file: PathBuf,
    /// Set a variable; others come from the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A project.
#[derive(Debug, Clone, clap::Args)]
pub struct ProjectArgs {
    /// The project's name, or a template file that names it.
    #[arg(value_name = "PROJECT|FILE")]
    pub target: String,
    /// Set a variable of the template file; others come from the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err("expected an absolute path, as in /run/agentcore/orchestrator.sock".to_owned())
    }
}

fn engine_address(text: &str) -> Result<String, String> {
    if text.starts_with("unix:///") {
        Ok(text.to_owned())
    } else {
        Err("expected unix:///path/of/the.sock, as in unix:///var/run/docker.sock".to_owned())
    }
}

impl Args {
    /// The engine, with the policy read from its file.
    pub fn engine(&self) -> Result<Engine, TemplateError> {
        let policy = match &self.policy {
            None => Policy::default(),
            Some(file) => {
                let place = format!("--policy {}", file.display());
                let text = std::fs::read_to_string(file).map_err(|error| {
                    TemplateError::one(format!(
                        "{place}: cannot be read: {error}; expected a JSON file"
                    ))
                })?;
                let node = Node::from_json(&text).map_err(|error| {
                    TemplateError::one(format!("{place}: not JSON: {error}; expected an object"))
                })?;
                Policy::parse(&node)?
            }
        };
        Engine::new(&self.docker, &self.state_dir, policy)
    }
}
