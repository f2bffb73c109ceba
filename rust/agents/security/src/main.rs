//! The security agent: audits its host at intervals, scans its neighbors when asked, reports drift.
//!
//! It reads the host's trees from read-only mounts and needs no capability but `DAC_READ_SEARCH`.
//! It looks up no names: targets are addresses, or names that its scope file gives addresses to.

mod api;
mod auditor;
mod config;
mod metrics;
mod scanner;

use std::process::ExitCode;
use std::sync::Arc;

use agent_kit::{Context, Error, ServiceInfo};

use crate::auditor::Auditor;
use crate::config::{Args, Config};
use crate::metrics::Metrics;
use crate::scanner::Scanner;

const INFO: ServiceInfo = ServiceInfo {
    name: "security-agent",
    version: env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    let args: Args = agent_kit::parse();
    if let Some(command) = args.command {
        return command.run();
    }
    let log = args.log.clone();
    agent_kit::run(INFO, &log, |cx| serve(args, cx))
}

async fn serve(args: Args, cx: Context) -> Result<(), Error> {
    let listen = args.listen.clone();
    let config = Arc::new(Config::read(args)?);
    let metrics = Arc::new(Metrics::register(&cx.registry));
    let latch = cx.ready.latch("audit", "the first audit has not finished");
    let auditor = Arc::new(Auditor::new(config.clone(), metrics.clone()));
    let scanner = Arc::new(Scanner::new(config.clone(), metrics));
    let bound = agent_kit::bind(&listen).await?;
    let periodic = tokio::spawn(auditor::run_periodically(auditor.clone(), latch));
    let api = api::router(auditor, scanner);
    let router = agent_kit::admin_router(cx.info, cx.registry.clone(), cx.ready.clone())
        .merge(agent_kit::require_bearer(api, config.key.clone()));
    let served = bound.serve(router, cx.shutdown.clone()).await;
    periodic.abort();
    served
}
