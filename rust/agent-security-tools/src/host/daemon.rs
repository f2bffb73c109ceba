//! How the Docker daemon is configured: `daemon.json` and the flags of the running dockerd, which add to it.

use serde_json::{Map, Value};

use crate::audit::{Outcome, Verdict};

use super::Host;

const CONFIG: &str = "/etc/docker/daemon.json";
/// Where Docker keeps its state unless told otherwise.
const DEFAULT_DATA_ROOT: &str = "/var/lib/docker";
/// Flags that take no value of their own (`--flag` or `--flag=false`).
const SWITCHES: [&str; 5] = [
    "live-restore",
    "tls",
    "tlsverify",
    "no-new-privileges",
    "icc",
];

/// The daemon's configuration, as far as it can be known.
#[derive(Debug, Clone, PartialEq)]
pub struct Daemon {
    /// There is a Docker engine on this host.
    pub present: bool,
    /// `daemon.json`, or why it cannot be used.
    file: Result<Map<String, Value>, String>,
    /// Flags of the running dockerd, by their long names.
    flags: Vec<(String, String)>,
}

impl Daemon {
    pub(super) fn read(host: &Host) -> Self {
        let flags = running_flags(host);
        let text = host.root.read(CONFIG);
        let signs = [
            "/usr/sbin/dockerd",
            "/usr/bin/dockerd",
            "/var/lib/docker/containers",
        ];
        let present = flags.is_some()
            || !matches!(text, Ok(None))
            || signs
                .iter()
                .any(|path| !matches!(host.root.stat(path), Ok(None)));
        let file = match text {
            Ok(None) => Ok(Map::new()),
            Ok(Some(text)) if text.trim_ascii().is_empty() => Ok(Map::new()),
            Ok(Some(text)) => {
                serde_json::from_str(&text).map_err(|_| format!("{CONFIG} is not a JSON object"))
            }
            Err(problem) => Err(problem.to_string()),
        };
        Self {
            present,
            file,
            flags: flags.unwrap_or_default(),
        }
    }

    /// Why the configuration is unknown, if it is.
    pub fn problem(&self) -> Option<&str> {
        self.file.as_ref().err().map(String::as_str)
    }

    /// A text setting; a flag wins over the file.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.flag(key).or_else(|| self.value(key)?.as_str())
    }

    /// A yes-or-no setting; a flag wins over the file.
    pub fn switch(&self, key: &str) -> Option<bool> {
        match self.flag(key) {
            Some(flag) => Some(flag != "false"),
            None => self.value(key)?.as_bool(),
        }
    }

    /// A list setting, of the file (`file_key`) and of the flags (`flag_key`) together.
    pub fn list(&self, file_key: &str, flag_key: &str) -> Vec<String> {
        let mut all: Vec<String> = self
            .value(file_key)
            .and_then(Value::as_array)
            .map(|items| {
                items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(String::from)
                    .collect()
            })
            .unwrap_or_default();
        all.extend(
            self.flags
                .iter()
                .filter(|(key, _)| key == flag_key)
                .map(|(_, v)| v.clone()),
        );
        all
    }

    /// An option of the default log driver.
    pub fn log_option(&self, key: &str) -> Option<String> {
        let start = format!("{key}=");
        let flags = self.flags.iter().filter(|(flag, _)| flag == "log-opt");
        if let Some(value) = flags
            .filter_map(|(_, v)| v.strip_prefix(&start))
            .next_back()
        {
            return Some(value.to_string());
        }
        self.value("log-opts")?.get(key)?.as_str().map(String::from)
    }

    /// Docker's data root on the host.
    pub fn data_root(&self) -> &str {
        self.text("data-root").unwrap_or(DEFAULT_DATA_ROOT)
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.file.as_ref().ok()?.get(key)
    }

    fn flag(&self, key: &str) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(flag, _)| flag == key)
            .map(|(_, value)| value.as_str())
    }
}

/// The flags of the dockerd that runs on the host itself (not of one nested in a container).
fn running_flags(host: &Host) -> Option<Vec<(String, String)>> {
    let processes = host.processes().ok()?;
    let own_depth = processes
        .iter()
        .find(|process| process.pid == 1)
        .map_or(1, |init| init.depth);
    let dockerd = processes
        .iter()
        .find(|process| process.name == "dockerd" && process.depth == own_depth)?;
    let line = host
        .procfs
        .read(&format!("/{}/cmdline", dockerd.pid))
        .ok()??;
    let words: Vec<&str> = line.split('\0').collect();
    Some(parse_flags(&words[1..]))
}

fn parse_flags(words: &[&str]) -> Vec<(String, String)> {
    let mut flags = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            continue;
        };
        let (name, given) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let name = match name {
            "H" => "host",
            "g" | "graph" => "data-root",
            other => other,
        };
        let value = match given {
            Some(value) => value,
            None if SWITCHES.contains(&name) => "true",
            None => words.next().copied().unwrap_or(""),
        };
        flags.push((name.to_string(), value.to_string()));
    }
    flags
}

/// One outcome about the daemon; not applicable without Docker, an error if its file is unreadable.
pub fn judge(host: &Host, rule: impl Fn(&Daemon) -> Verdict) -> Vec<Outcome> {
    let daemon = host.daemon();
    let verdict = if !daemon.present {
        Verdict::NotApplicable("no Docker engine is installed".to_string())
    } else if let Some(problem) = daemon.problem() {
        Verdict::Error(problem.to_string())
    } else {
        rule(daemon)
    };
    vec![verdict.of("docker daemon")]
}
