//! Sandbox requests: what may be asked, the defaults, and the create request made of it. Pure.
//!
//! A sandbox is a throw-away container: no network, read-only root, no capabilities, no new
//! privileges, an unprivileged user, limits on memory, processors, processes, time and output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::TemplateError;
use crate::interpolation::Variables;
use crate::node::Node;
use crate::policy::Policy;
use crate::reading::{Fields, Reader};
use crate::service::{IMAGE, MIN_MEMORY, USER};
use crate::values::{clean_path, parse_bytes, parse_decimal, parse_duration, show};

/// Label of every sandbox.
pub const LABEL_SANDBOX: &str = "agentcore.sandbox";
/// Label with the Unix time after which anybody may remove the sandbox.
pub const LABEL_DEADLINE: &str = "agentcore.sandbox-deadline";
const KEYS: [&str; 13] = [
    "command",
    "cpus",
    "environment",
    "image",
    "memory",
    "network",
    "output_limit",
    "pids",
    "stdin",
    "timeout",
    "tmpfs_size",
    "user",
    "working_dir",
];
const MAX_OUTPUT: u64 = 16_777_216;
const MAX_STDIN: usize = 1_048_576;

/// A sandbox request with every default written out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Image name or id.
    pub image: String,
    /// Instead of the image's command.
    pub command: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Memory, without swap on top.
    pub memory_bytes: u64,
    /// Processors, in billionths.
    pub nano_cpus: u64,
    /// Time until it is killed.
    pub timeout_ns: u64,
    /// Bytes kept of each of stdout and stderr.
    pub output_limit: u64,
    /// Size of `/tmp`.
    pub tmpfs_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
    /// User, or user:group.
    pub user: String,
    /// Has the engine's default network.
    pub network: bool,
    /// Working directory.
    pub working_dir: String,
    /// What the command reads.
    pub stdin: String,
}

/// Validate a sandbox request and write out its defaults.
///
/// # Errors
/// An unknown key, a wrong value, or more than the policy allows.
pub fn parse_sandbox(request: &Node, policy: &Policy) -> Result<Sandbox, TemplateError> {
    let mut reader = Reader::default();
    let r = reader.mapping(request, "sandbox", &KEYS);
    let image = reader.text(
        r.get("image"),
        "sandbox.image",
        "an image's name or id",
        Some(&IMAGE),
    );
    let command = reader.texts(r.get("command"), "sandbox.command", "a list of words");
    let nothing = Variables::new();
    let environment = reader.pairs(r.get("environment"), "sandbox.environment", Some(&nothing));
    let limits = read_limits(&r, policy, &mut reader);
    let default = Node::Text("65534:65534".to_owned());
    let user = r.find("user").unwrap_or(&default);
    let user = reader.text(user, "sandbox.user", "user or user:group", Some(&USER));
    let network = reader.boolean(r.get("network"), "sandbox.network");
    if network && !policy.sandbox_allow_network {
        let expected = "false, or sandbox_allow_network in the policy";
        reader.problem("sandbox.network", "true", expected);
    }
    let default = Node::Text("/tmp".to_owned());
    let workdir = r.find("working_dir").unwrap_or(&default);
    let working_dir = workdir.as_text().and_then(clean_path).unwrap_or_else(|| {
        reader.problem("sandbox.working_dir", show(workdir), "an absolute path");
        String::new()
    });
    let empty = Node::Text(String::new());
    let written = r.find("stdin").unwrap_or(&empty);
    let stdin = written.as_text().filter(|text| text.len() <= MAX_STDIN);
    if stdin.is_none() {
        let expected = format!("a text of at most {MAX_STDIN} bytes");
        reader.problem("sandbox.stdin", show(written), expected);
    }
    if command
        .iter()
        .chain(environment.values())
        .any(|text| text.contains('\0'))
    {
        reader.problem("sandbox", "a NUL character", "text without it");
    }
    if !reader.problems.is_empty() {
        return Err(TemplateError {
            problems: reader.problems,
        });
    }
    Ok(Sandbox {
        image,
        command,
        environment,
        user,
        network,
        working_dir,
        stdin: stdin.unwrap_or_default().to_owned(),
        ..limits
    })
}

/// Read the limits; the other fields are left empty.
fn read_limits(r: &Fields, policy: &Policy, reader: &mut Reader) -> Sandbox {
    let mut bounded = |key: &str,
                       parse: fn(&str) -> Option<u64>,
                       default: u64,
                       low: u64,
                       high: u64,
                       rule: &str| {
        let node = r.get(key);
        if *node == Node::Null {
            return default;
        }
        let path = format!("sandbox.{key}");
        let value = parse(&reader.scalar(node, &path)).filter(|v| (low..=high).contains(v));
        value.unwrap_or_else(|| {
            reader.problem(&path, show(node), rule);
            default
        })
    };
    let most = policy.sandbox_max_memory_bytes;
    let rule = format!("a size from 6m to the policy's {most} bytes");
    let memory_bytes = bounded(
        "memory",
        parse_bytes,
        most.min(134_217_728),
        MIN_MEMORY,
        most,
        &rule,
    );
    let cpus = policy.sandbox_max_nano_cpus;
    let rule = format!("a number of processors from 0.01 to the policy's {cpus} billionths");
    let nano_cpus = bounded(
        "cpus",
        parse_decimal,
        cpus.min(500_000_000),
        10_000_000,
        cpus,
        &rule,
    );
    let seconds = policy.sandbox_max_seconds;
    let rule = format!("a duration from 100ms to the policy's {seconds}s");
    let (default, longest) = (seconds.min(10) * 1_000_000_000, seconds * 1_000_000_000);
    let timeout_ns = bounded(
        "timeout",
        parse_duration,
        default,
        100_000_000,
        longest,
        &rule,
    );
    let rule = "a size of at most 16m";
    let output_limit = bounded("output_limit", parse_bytes, 65_536, 1, MAX_OUTPUT, rule);
    let rule = "a size from 4k to the largest memory";
    let tmpfs_bytes = bounded("tmpfs_size", parse_bytes, 16_777_216, 4096, most, rule);
    let most = policy.sandbox_max_pids;
    let pids = match r.get("pids") {
        Node::Null => most.min(64),
        given => reader.whole(given, "sandbox.pids", 1, most),
    };
    Sandbox {
        memory_bytes,
        nano_cpus,
        timeout_ns,
        output_limit,
        tmpfs_bytes,
        pids,
        ..Sandbox::default()
    }
}

/// The body of the engine's create request for a sandbox.
///
/// `deadline` is the Unix time, in seconds, after which anybody may remove the container.
pub fn sandbox_config(sandbox: &Sandbox, image_id: &str, deadline: u64) -> Value {
    let environment: Vec<String> = sandbox
        .environment
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let tmpfs = format!(
        "rw,noexec,nosuid,nodev,size={},mode=1777{}",
        sandbox.tmpfs_bytes,
        owner(&sandbox.user)
    );
    let mut body = json!({
        "Image": image_id,
        "AttachStdout": true,
        "AttachStderr": true,
        "Env": environment,
        "Labels": {LABEL_SANDBOX: "1", LABEL_DEADLINE: deadline.to_string()},
        "User": sandbox.user,
        "WorkingDir": sandbox.working_dir,
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": 0,
        "HostConfig": {
            "CapDrop": ["ALL"],
            "Init": false,
            "LogConfig": {"Type": "none", "Config": {}}, // output goes to the caller, not to a disk
            "Memory": sandbox.memory_bytes,
            "MemorySwap": sandbox.memory_bytes,
            "NanoCpus": sandbox.nano_cpus,
            "NetworkMode": if sandbox.network { "bridge" } else { "none" },
            "PidsLimit": sandbox.pids,
            "ReadonlyRootfs": true,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "SecurityOpt": ["no-new-privileges:true"],
            "Tmpfs": {"/tmp": tmpfs},
        },
    });
    if !sandbox.command.is_empty() {
        body["Cmd"] = json!(sandbox.command);
    }
    if !sandbox.stdin.is_empty() {
        for key in ["AttachStdin", "OpenStdin", "StdinOnce"] {
            body[key] = json!(true);
        }
    }
    body
}

/// The `/tmp` of a numeric user is its own: runc before 1.2 gives a tmpfs the mode of the image's
/// directory, whatever mode is asked for.
fn owner(user: &str) -> String {
    let (uid, gid) = user.split_once(':').unwrap_or((user, "0"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if number(uid) && number(gid) {
        format!(",uid={uid},gid={gid}")
    } else {
        String::new()
    }
}
