//! The flags; those that `node_exporter` has mean the same.

use std::path::PathBuf;

use agent_kit::{Listen, LogArgs, ProbeCommand};
use agent_performance_monitor::Paths;
use clap::Parser;

/// Host and container metrics for Prometheus.
#[derive(Debug, Parser)]
#[command(name = "monitor-agent", version)]
pub struct Args {
    /// Address of the server: `HOST:PORT` or `unix:/path`.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9100")]
    pub listen: Listen,
    /// The host's procfs.
    #[arg(long = "path.procfs", value_name = "DIR", default_value = "/proc")]
    pub procfs: PathBuf,
    /// The host's sysfs.
    #[arg(long = "path.sysfs", value_name = "DIR", default_value = "/sys")]
    pub sysfs: PathBuf,
    /// The host's root file system; put in front of every mount point.
    #[arg(long = "path.rootfs", value_name = "DIR", default_value = "/")]
    pub rootfs: PathBuf,
    /// Folder of *.prom files that are added to the page.
    #[arg(long = "collector.textfile.directory", value_name = "DIR")]
    pub textfile_directory: Option<PathBuf>,
    /// Form and level of the log.
    #[command(flatten)]
    pub log: LogArgs,
    /// A command instead of the daemon.
    #[command(subcommand)]
    pub command: Option<ProbeCommand>,
}

impl Args {
    /// The paths as the collectors want them.
    pub fn paths(&self) -> Paths {
        Paths {
            procfs: self.procfs.clone(),
            sysfs: self.sysfs.clone(),
            rootfs: self.rootfs.clone(),
            textfile_directory: self.textfile_directory.clone(),
        }
    }
}
