//! The command line and the files it names, all read and refused before anything listens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_kit::{ApiKey, ConfigError, Listen, LogArgs, ProbeCommand};
use agent_security_tools::audit::waiver;
use agent_security_tools::scope::Scope;
use clap::Parser;

/// Audits this host and its containers, and scans the hosts of its scope file.
#[derive(Debug, Parser)]
#[command(name = "security-agent", version)]
pub struct Args {
    /// Address of the server: HOST:PORT, or a Unix socket as `unix:/path`.
    #[arg(long, default_value = "127.0.0.1:9810", value_name = "HOST:PORT")]
    pub listen: Listen,
    /// Where the host's / is mounted.
    #[arg(long, default_value = "/", value_name = "DIR")]
    pub rootfs: PathBuf,
    /// Where the host's /proc is mounted.
    #[arg(long, default_value = "/proc", value_name = "DIR")]
    pub procfs: PathBuf,
    /// JSON file of the hosts that may be scanned; without it nothing is.
    #[arg(long, value_name = "FILE")]
    pub scope_file: Option<PathBuf>,
    /// JSON file of accepted findings, each with its reason.
    #[arg(long, value_name = "FILE")]
    pub waivers_file: Option<PathBuf>,
    /// File that holds the bearer key of the API.
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Folder that keeps the last report, to name what changed since.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Seconds between audits.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub audit_interval: u64,
    /// This host's name in reports and in the scope file (default: its /etc/hostname).
    #[arg(long, value_name = "NAME")]
    pub host_name: Option<String>,
    #[command(flatten)]
    pub log: LogArgs,
    #[command(subcommand)]
    pub command: Option<ProbeCommand>,
}

/// What the agent works with.
#[derive(Debug)]
pub struct Config {
    pub rootfs: PathBuf,
    pub procfs: PathBuf,
    pub scope: Option<Scope>,
    /// The waivers file's text, known to be good.
    pub waivers: Option<String>,
    pub key: Option<ApiKey>,
    pub state_dir: Option<PathBuf>,
    pub audit_interval: Duration,
    pub host_name: String,
}

impl Config {
    /// Reads the files and refuses what cannot be used.
    pub fn read(args: Args) -> Result<Self, ConfigError> {
        for (flag, folder) in [
            ("--rootfs", Some(&args.rootfs)),
            ("--procfs", Some(&args.procfs)),
            ("--state-dir", args.state_dir.as_ref()),
        ] {
            if let Some(folder) = folder
                && !folder.is_dir()
            {
                let place = format!("{flag} {}", folder.display());
                return Err(ConfigError::new(
                    "not a folder",
                    place,
                    "an existing folder",
                ));
            }
        }
        let key = args
            .api_key_file
            .as_deref()
            .map(ApiKey::from_file)
            .transpose()?;
        agent_kit::ensure_guarded(&args.listen, key.as_ref())?;
        let scope = read("--scope-file", args.scope_file.as_deref(), Scope::parse)?;
        let waivers = read("--waivers-file", args.waivers_file.as_deref(), |text| {
            waiver::parse(text).map(|_| text.to_string())
        })?;
        let host_name = args.host_name.unwrap_or_else(|| host_name(&args.rootfs));
        Ok(Self {
            rootfs: args.rootfs,
            procfs: args.procfs,
            scope,
            waivers,
            key,
            state_dir: args.state_dir,
            audit_interval: Duration::from_secs(args.audit_interval),
            host_name,
        })
    }
}

fn read<T>(
    flag: &str,
    path: Option<&Path>,
    parse: impl Fn(&str) -> Result<T, agent_security_tools::Error>,
) -> Result<Option<T>, ConfigError> {
    let Some(path) = path else { return Ok(None) };
    let place = format!("{flag} {}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(
            format!("cannot be read: {error}"),
            &place,
            "a readable JSON file",
        )
    })?;
    parse(&text).map(Some).map_err(|error| match error {
        agent_security_tools::Error::Input {
            place: inner,
            what,
            expected,
        } => ConfigError::new(what, format!("{place}: {inner}"), expected),
        other => ConfigError::new(other.to_string(), place, "a usable file"),
    })
}

fn host_name(rootfs: &Path) -> String {
    let text = std::fs::read_to_string(rootfs.join("etc/hostname")).unwrap_or_default();
    let name = text.trim_ascii();
    if name.is_empty() {
        "localhost".to_string()
    } else {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(flags: &[&str]) -> String {
        let words = ["security-agent"].iter().chain(flags);
        match agent_kit::parse_from::<Args>(words) {
            Err((text, status)) => {
                assert_eq!(status, 64);
                text
            }
            Ok(args) => Config::read(args).expect_err("a refusal").to_string(),
        }
    }

    #[test]
    fn bad_flags_are_refused_by_name_and_value() {
        for (flags, wants) in [
            (&["--listen", "nowhere"][..], &["--listen", "nowhere"][..]),
            (
                &["--listen", "0.0.0.0:9810"],
                &["--listen 0.0.0.0:9810", "--api-key-file"],
            ),
            (&["--audit-interval", "0"], &["--audit-interval", "'0'"]),
            (
                &["--rootfs", "/nonexistent"],
                &["--rootfs /nonexistent: not a folder"],
            ),
            (
                &["--state-dir", "/nonexistent"],
                &["--state-dir /nonexistent"],
            ),
            (
                &["--scope-file", "/nonexistent"],
                &["--scope-file /nonexistent: cannot be read"],
            ),
            (&["--no-such-flag"], &["--no-such-flag"]),
        ] {
            let text = refusal(flags);
            for want in wants {
                assert!(text.contains(want), "{flags:?}: {text}");
            }
        }
    }

    #[test]
    fn a_bad_scope_or_waiver_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        std::fs::write(&file, "[{\"check\":\"x\",\"subject\":\"*\"}]").unwrap();
        let path = file.to_str().unwrap();
        let text = refusal(&["--waivers-file", path]);
        let want = format!(
            "--waivers-file {path}: waivers[0].reason: missing or empty; expected why this is accepted"
        );
        assert_eq!(text, want);
        let text = refusal(&["--scope-file", path]);
        assert!(text.starts_with(&format!("--scope-file {path}: scope: not a JSON object")));
    }
}
