//! The containers of the Docker engine, from the files it keeps of each:
//! `<data root>/containers/<id>/{config.v2.json,hostconfig.json}` (written by engines 1.10 to today).
//!
//! Reading files needs no Docker socket, which would make the auditor the weakest container of all.

use serde_json::{Map, Value};

use crate::audit::{Outcome, Verdict};

use super::Host;

/// What was found in Docker's data root.
#[derive(Debug, Clone, PartialEq)]
pub enum Containers {
    /// No Docker engine here.
    NoEngine,
    /// The folder cannot be read.
    Unknown(String),
    /// All containers, by name.
    Known(Vec<Container>),
}

/// A container's declared configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its name, or the first 12 digits of its id if the name cannot be read.
    pub name: String,
    /// Why its files cannot be used.
    pub problem: Option<String>,
    /// `config.v2.json`.
    pub config: Map<String, Value>,
    /// `hostconfig.json`.
    pub host_config: Map<String, Value>,
}

impl Containers {
    pub(super) fn read(host: &Host) -> Self {
        let daemon = host.daemon();
        if !daemon.present {
            return Self::NoEngine;
        }
        if let Some(problem) = daemon.problem() {
            return Self::Unknown(problem.to_string());
        }
        let folder = format!("{}/containers", daemon.data_root());
        match host.root.list(&folder) {
            Err(problem) => Self::Unknown(problem.to_string()),
            Ok(None) => Self::Unknown(format!("{folder} does not exist")),
            Ok(Some(ids)) => {
                let mut all: Vec<Container> = ids
                    .iter()
                    .filter_map(|id| Container::read(host, &folder, id))
                    .collect();
                all.sort_by(|a, b| a.name.cmp(&b.name));
                Self::Known(all)
            }
        }
    }
}

impl Container {
    /// `None` if it was removed while we read.
    fn read(host: &Host, folder: &str, id: &str) -> Option<Self> {
        let short: String = id.chars().take(12).collect();
        let path = |file: &str| format!("{folder}/{id}/{file}");
        let mut problems = Vec::new();
        let mut parts =
            ["config.v2.json", "hostconfig.json"].map(|file| match host.root.read(&path(file)) {
                Ok(Some(text)) => serde_json::from_str::<Map<String, Value>>(&text)
                    .map_err(|_| problems.push(format!("{} is not a JSON object", path(file))))
                    .unwrap_or_default(),
                Ok(None) => {
                    problems.push(format!("{} does not exist", path(file)));
                    Map::new()
                }
                Err(problem) => {
                    problems.push(problem.to_string());
                    Map::new()
                }
            });
        if problems.len() == 2 && matches!(host.root.stat(&path("config.v2.json")), Ok(None)) {
            return None;
        }
        let host_config = std::mem::take(&mut parts[1]);
        let config = std::mem::take(&mut parts[0]);
        let name = config.get("Name").and_then(Value::as_str).unwrap_or("");
        let name = name.strip_prefix('/').unwrap_or(name);
        Some(Self {
            name: if name.is_empty() {
                short
            } else {
                name.to_string()
            },
            problem: problems.into_iter().next(),
            config,
            host_config,
        })
    }

    /// It runs now; a stopped container exposes nothing.
    pub fn is_running(&self) -> bool {
        let state = self.config.get("State");
        state
            .and_then(|state| state.get("Running")?.as_bool())
            .unwrap_or(true)
    }

    /// The image it was made from, as named and as hashed.
    pub fn image(&self) -> (String, String) {
        let name = self.inner("Image").and_then(Value::as_str).unwrap_or("");
        let id = self
            .config
            .get("Image")
            .and_then(Value::as_str)
            .unwrap_or("");
        (name.to_string(), id.to_string())
    }

    /// A field of the container's own configuration (`Config` of `docker inspect`).
    pub fn inner(&self, key: &str) -> Option<&Value> {
        self.config.get("Config")?.get(key)
    }

    /// A yes-or-no field of the host configuration; an error if it is missing.
    pub fn flag(&self, key: &str) -> Result<bool, String> {
        self.host_config
            .get(key)
            .and_then(Value::as_bool)
            .ok_or_else(|| format!("hostconfig.json has no {key} of true or false"))
    }

    /// A text field of the host configuration; an error if it is missing.
    pub fn text(&self, key: &str) -> Result<&str, String> {
        self.host_config
            .get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("hostconfig.json has no text {key}"))
    }

    /// A number of the host configuration; missing and null count as 0, Docker's "no limit".
    pub fn number(&self, key: &str) -> i64 {
        self.host_config
            .get(key)
            .and_then(Value::as_i64)
            .unwrap_or(0)
    }

    /// A list of texts of the host configuration; missing and null are empty.
    pub fn list(&self, key: &str) -> Vec<&str> {
        texts(self.host_config.get(key))
    }

    /// The container's environment, `NAME=value` each.
    pub fn environment(&self) -> Vec<&str> {
        texts(self.inner("Env"))
    }

    /// Host paths bound into the container.
    pub fn binds(&self) -> Vec<Bind> {
        let points = self.config.get("MountPoints").and_then(Value::as_object);
        let mut all: Vec<Bind> = points
            .into_iter()
            .flat_map(Map::values)
            .filter_map(Bind::read)
            .collect();
        all.sort();
        all
    }

    /// Where an empty file system in memory is mounted (`--tmpfs`, `--mount type=tmpfs`).
    pub fn tmpfs(&self) -> Vec<String> {
        let told = self.host_config.get("Tmpfs").and_then(Value::as_object);
        let told = told.into_iter().flat_map(Map::keys).map(String::as_str);
        let points = self.config.get("MountPoints").and_then(Value::as_object);
        let mounted = points
            .into_iter()
            .flat_map(Map::values)
            .filter_map(|point| {
                let kind = point.get("Type").and_then(Value::as_str);
                let place = point.get("Destination").and_then(Value::as_str);
                place.filter(|_| kind == Some("tmpfs"))
            });
        told.chain(mounted)
            .map(|path| path.trim_end_matches('/').to_string())
            .collect()
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    let items = value.and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// A host path bound into a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bind {
    /// The host's path.
    pub source: String,
    /// Where the container sees it.
    pub destination: String,
    /// The container may write to it.
    pub writable: bool,
    /// What is mounted below the source comes along.
    pub recursive: bool,
}

impl Bind {
    fn read(point: &Value) -> Option<Self> {
        let text = |key: &str| point.get(key).and_then(Value::as_str).unwrap_or("");
        let kind = text("Type");
        if kind != "bind" && !(kind.is_empty() && text("Name").is_empty()) {
            return None;
        }
        let spared = point
            .get("Spec")
            .and_then(|spec| spec.get("BindOptions")?.get("NonRecursive"));
        Some(Self {
            source: normalize(text("Source")),
            destination: text("Destination").trim_end_matches('/').to_string(),
            writable: point.get("RW").and_then(Value::as_bool).unwrap_or(true),
            recursive: !spared.and_then(Value::as_bool).unwrap_or(false),
        })
    }
}

/// One spelling for one place: no trailing slash, and `/var/run` is `/run`.
fn normalize(path: &str) -> String {
    let path = path.trim_end_matches('/');
    match path.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        _ if path.is_empty() => "/".to_string(),
        _ => path.to_string(),
    }
}

/// `path` is `top` or lies below it.
pub fn is_within(path: &str, top: &str) -> bool {
    top == "/"
        || path
            .strip_prefix(top)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One outcome a container; what a rule cannot know (`Err`) is an error, never a pass.
pub fn each(host: &Host, rule: impl Fn(&Container) -> Result<Verdict, String>) -> Vec<Outcome> {
    let one = |verdict: Verdict| vec![verdict.of("containers")];
    match host.containers() {
        Containers::NoEngine => one(Verdict::NotApplicable(
            "no Docker engine is installed".to_string(),
        )),
        Containers::Unknown(problem) => one(Verdict::Error(problem.clone())),
        Containers::Known(all) if all.is_empty() => one(Verdict::NotApplicable(
            "there are no containers".to_string(),
        )),
        Containers::Known(all) => all
            .iter()
            .map(|container| {
                let verdict = if let Some(problem) = &container.problem {
                    Verdict::Error(problem.clone())
                } else if container.is_running() {
                    rule(container).unwrap_or_else(Verdict::Error)
                } else {
                    Verdict::NotApplicable("not running".to_string())
                };
                verdict.of(&container.name)
            })
            .collect(),
    }
}
