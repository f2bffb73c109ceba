//! The monitor daemon: host and container metrics on `/metrics`, in place of `node_exporter`.
//!
//! `main` parses and composes; the metrics come from `agent-performance-monitor`, the rest of the
//! daemon from `agent-kit`. Its Python stand-in is `agentcore monitor`.

mod args;
mod routes;
mod scraper;

use std::process::ExitCode;
use std::sync::Arc;

use agent_kit::{ConfigError, Error, ServiceInfo};
use agent_performance_monitor::Monitor;

use crate::args::Args;
use crate::scraper::Scraper;

const INFO: ServiceInfo = ServiceInfo {
    name: "monitor-agent",
    version: env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    let args: Args = agent_kit::parse();
    if let Some(command) = &args.command {
        return command.run();
    }
    let log = args.log.clone();
    agent_kit::run(INFO, &log, |cx| async move {
        args.check()?;
        let bound = agent_kit::bind(&args.listen).await?;
        let scraper = Scraper::new(Monitor::new(args.paths()), &cx.registry);
        let router = routes::router(&cx, Arc::new(scraper));
        bound.serve(router, cx.shutdown.clone()).await
    })
}

impl Args {
    /// Refuses paths that can't be right before anything listens.
    fn check(&self) -> Result<(), Error> {
        for (flag, path) in [
            ("--path.procfs", &self.procfs),
            ("--path.sysfs", &self.sysfs),
            ("--path.rootfs", &self.rootfs),
        ] {
            if !path.is_dir() {
                let place = format!("{flag} {}", path.display());
                return Err(ConfigError::new("not a folder", place, "a mounted tree").into());
            }
        }
        if !self.procfs.join("stat").exists() {
            let place = format!("--path.procfs {}", self.procfs.display());
            let expected = "a procfs, as /proc or the host's mounted at /host/proc";
            return Err(ConfigError::new("there is no file stat in it", place, expected).into());
        }
        Ok(())
    }
}
