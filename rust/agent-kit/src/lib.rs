//! What the `AGENTCore` daemons share, so that each `main` only parses, composes and drains.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! const INFO: agent_kit::ServiceInfo = agent_kit::ServiceInfo {
//!     name: "example-agent",
//!     version: env!("CARGO_PKG_VERSION"),
//! };
//!
//! #[derive(clap::Parser)]
//! #[command(version)]
//! struct Args {
//!     /// Address of the admin server.
//!     #[arg(long, default_value = "127.0.0.1:9100")]
//!     listen: agent_kit::Listen,
//!     #[command(flatten)]
//!     log: agent_kit::LogArgs,
//!     #[command(subcommand)]
//!     command: Option<agent_kit::ProbeCommand>,
//! }
//!
//! fn main() -> ExitCode {
//!     let args: Args = agent_kit::parse(); // a bad flag ends here, with exit status 64
//!     if let Some(command) = args.command {
//!         return command.run();
//!     }
//!     agent_kit::run(INFO, &args.log, |cx| async move {
//!         let docker = cx.ready.latch("docker", "not connected yet");
//!         let bound = agent_kit::bind(&args.listen).await?; // a taken port ends here, status 1
//!         let router = agent_kit::admin_router(cx.info, cx.registry.clone(), cx.ready.clone());
//!         docker.open(); // /readyz answers 200 from here on
//!         bound.serve(router, cx.shutdown.clone()).await
//!     })
//! }
//! ```
//!
//! The Python twin of this crate is `agentcore.daemon`; the routes, the log's fields and the exit
//! codes are the same in both.

mod admin;
mod auth;
mod error;
mod listen;
mod log;
mod metrics;
mod probe;
mod ready;
mod run;
mod serve;
mod shutdown;

pub use admin::{IMPLEMENTATION, ServiceInfo, admin_router, health_router, json_error};
pub use auth::{ApiKey, ensure_guarded, require_bearer};
pub use error::{ConfigError, Error};
pub use listen::Listen;
pub use log::{LogArgs, LogFormat, LogLevel};
pub use metrics::{
    METRICS_CONTENT_TYPE, SharedRegistry, metrics_response, new_registry, render, text_0_0_4,
};
pub use probe::{ProbeCommand, probe};
pub use ready::{Latch, Ready};
pub use run::{Context, EXIT_USAGE, parse, parse_from, run};
pub use serve::{Bound, DRAIN_DEADLINE, bind, serve};
pub use shutdown::{Shutdown, shutdown_signal};
