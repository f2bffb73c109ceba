//! No secret stands in a container's environment, which `docker inspect` shows.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;

/// A variable with one of these words in its name holds a secret …
const NAMES: [&str; 9] = [
    "ACCESS_KEY",
    "API_KEY",
    "APIKEY",
    "CREDENTIAL",
    "PASSWD",
    "PASSWORD",
    "PRIVATE_KEY",
    "SECRET",
    "TOKEN",
];
/// … unless it only says where the secret is.
const PLACES: [&str; 3] = ["_FILE", "_PATH", "_DIR"];
/// Values that are secrets whatever they are called.
const VALUES: [&str; 6] = [
    "-----BEGIN ",
    "AKIA",
    "ghp_",
    "github_pat_",
    "glpat-",
    "xoxb-",
];

/// The check. Evidence names variables, never values.
pub const CHECK: Check = Check {
    id: "container-env-secrets",
    title: "no secret stands in a container's environment",
    severity: Severity::High,
    reference: "CIS Docker 1.6.0 4.10",
    fix: "Give the secret as a file, name it in a variable ending in _FILE, change the secret.",
    run: |host| {
        containers::each(host, |container| {
            let mut found: Vec<&str> = container
                .environment()
                .iter()
                .filter_map(|entry| entry.split_once('='))
                .filter(|(name, value)| is_secret(name, value))
                .map(|(name, _)| name)
                .collect();
            found.sort_unstable();
            found.dedup();
            Ok(if found.is_empty() {
                Verdict::Pass("no variable looks like a secret".to_string())
            } else {
                Verdict::Fail(format!("variables {}", found.join(", ")))
            })
        })
    },
};

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let named = NAMES.iter().any(|word| name.contains(word))
        && !PLACES.iter().any(|ending| name.ends_with(ending));
    !value.is_empty()
        && (named || VALUES.iter().any(|start| value.starts_with(start)) || has_login(value))
}

/// `scheme://user:password@host`.
fn has_login(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or("");
    let Some((login, _)) = authority.rsplit_once('@') else {
        return false;
    };
    login
        .split_once(':')
        .is_some_and(|(_, password)| !password.is_empty())
}
