//! Docker management with templates in Compose syntax.
//!
//! Pure, without any input or output: [`parse_template`] reads and normalizes a template against a
//! [`Policy`], [`plan`] compares the [`Project`] with the containers that exist, and
//! [`container_config`] writes the engine's create request.
//!
//! With an engine: [`Engine`] plans, applies behind a health gate, rolls back, removes, and runs
//! throw-away sandboxes.
//!
//! The Python twin is `agentcore.containers.twin`; both give the same results in the same words.

mod config;
mod engine;
mod error;
mod health;
mod interpolation;
mod model;
mod mounts;
mod node;
mod plan;
mod policy;
mod reading;
mod rights;
mod sandbox;
mod service;
mod template;
mod values;
mod yaml;

pub use config::container_config;
pub use engine::{Engine, SandboxResult, check_project_name};
pub use error::{Code, EngineError, TemplateError};
pub use interpolation::{Variables, interpolate};
pub use model::{
    Attachment, Gate, Healthcheck, Limits, Mount, Network, Port, Project, Restart, Service, Volume,
};
pub use node::Node;
pub use plan::{Action, Container, Plan, Reason, config_hash, container_name, plan};
pub use policy::Policy;
pub use sandbox::{Sandbox, parse_sandbox, sandbox_config};
pub use template::{dependency_order, parse_template};
