//! The orchestrator: the only service that holds the Docker socket.
//!
//! As a daemon it answers `AGENTCore` on a Unix socket and Prometheus on an admin port; with a
//! command it does one thing and ends. `main` parses and composes; the work is in
//! `agent-container-orchestrator`. Its Python stand-in is `agentcore orchestrator`.

mod api;
mod args;
mod daemon;
mod figures;
mod terminal;

use std::process::ExitCode;

use agent_kit::ServiceInfo;

use crate::args::{Args, Command};

const INFO: ServiceInfo = ServiceInfo {
    name: "orchestrator",
    version: env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    let args: Args = agent_kit::parse();
    match &args.command {
        Some(Command::Kit(probe)) => probe.run(),
        None | Some(Command::Serve) => {
            let log = args.log.clone();
            agent_kit::run(INFO, &log, |cx| daemon::run(args, cx))
        }
        Some(command) => terminal::run(&args, command),
    }
}
