//! The configuration sshd would use: `sshd_config(5)` with `Include` and `Match`.
//!
//! Outside `Match` the first value of a keyword wins. A `Match` block overrides it for those it
//! matches, so each block that sets the keyword is judged by itself.

use crate::audit::glob;
use crate::audit::{Outcome, Verdict};

use super::Host;
use super::root::Unreadable;

const CONFIG: &str = "/etc/ssh/sshd_config";
/// Includes nested deeper are refused by sshd as well.
const MAX_DEPTH: usize = 16;

/// One keyword with its value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    key: String,
    value: String,
    /// The criteria of the `Match` block it stands in.
    block: Option<String>,
    place: String,
}

/// One outcome for what holds outside `Match`, one for each `Match` block that sets the keyword.
pub fn judge(host: &Host, key: &str, default: &str, good: &[&str]) -> Vec<Outcome> {
    let settings = match read(host) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            return vec![Verdict::NotApplicable("no sshd is installed".to_string()).of("sshd")];
        }
        Err(problem) => return vec![Verdict::Error(problem.to_string()).of("sshd")],
    };
    let wants = good.join(" or ");
    let verdict = |value: &str, place: &str| {
        let is_good = good.contains(&value.to_ascii_lowercase().as_str());
        Verdict::pass_if(is_good, format!("{key} {value} ({place}), wants {wants}"))
    };
    let lower = key.to_ascii_lowercase();
    let named: Vec<&Setting> = settings
        .iter()
        .filter(|setting| setting.key == lower)
        .collect();
    let mut outcomes = vec![match named.iter().find(|setting| setting.block.is_none()) {
        Some(setting) => verdict(&setting.value, &setting.place).of("sshd"),
        None => verdict(default, "the default").of("sshd"),
    }];
    let mut seen: Vec<&str> = Vec::new();
    for setting in named {
        if let Some(block) = setting.block.as_deref()
            && !seen.contains(&block)
        {
            seen.push(block);
            outcomes
                .push(verdict(&setting.value, &setting.place).of(format!("sshd Match {block}")));
        }
    }
    outcomes
}

/// All settings in order. Without a configuration the defaults hold, if there is an sshd at all.
fn read(host: &Host) -> Result<Option<Vec<Setting>>, Unreadable> {
    let mut settings = Vec::new();
    if host.root.stat(CONFIG)?.is_none() && host.root.stat("/usr/sbin/sshd")?.is_none() {
        return Ok(None);
    }
    read_file(host, CONFIG, None, 0, &mut settings)?;
    Ok(Some(settings))
}

fn read_file(
    host: &Host,
    path: &str,
    outer: Option<&str>,
    depth: usize,
    settings: &mut Vec<Setting>,
) -> Result<(), Unreadable> {
    if depth > MAX_DEPTH {
        return Err(Unreadable {
            path: path.to_string(),
            errno: 40,
        });
    }
    let text = host.root.read(path)?.unwrap_or_default();
    let mut block = outer.map(String::from);
    for (number, line) in text.split('\n').enumerate() {
        let Some((key, rest)) = split(line) else {
            continue;
        };
        match key.as_str() {
            "match" => block = (!rest.eq_ignore_ascii_case("all")).then_some(rest),
            "include" => {
                for pattern in rest.split_ascii_whitespace() {
                    for file in expand(host, unquote(pattern))? {
                        read_file(host, &file, block.as_deref(), depth + 1, settings)?;
                    }
                }
            }
            _ => settings.push(Setting {
                key,
                value: unquote(rest.split_ascii_whitespace().next().unwrap_or("")).to_string(),
                block: block.clone(),
                place: format!("{path}:{}", number + 1),
            }),
        }
    }
    Ok(())
}

/// Keyword (lower case) and the rest of the line; `Key value` and `Key=value` are the same.
fn split(line: &str) -> Option<(String, String)> {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let rest = line[end..].trim_start_matches([' ', '\t', '=']);
    Some((line[..end].to_ascii_lowercase(), rest.to_string()))
}

fn unquote(word: &str) -> &str {
    word.strip_prefix('"')
        .and_then(|w| w.strip_suffix('"'))
        .unwrap_or(word)
}

/// The files an `Include` names; wildcards in the last part only. Relative means `/etc/ssh`.
fn expand(host: &Host, pattern: &str) -> Result<Vec<String>, Unreadable> {
    let full = if pattern.starts_with('/') {
        pattern.to_string()
    } else {
        format!("/etc/ssh/{pattern}")
    };
    let (folder, name) = full.rsplit_once('/').unwrap_or(("", &full));
    if !name.contains(['*', '?']) {
        return Ok(vec![full]);
    }
    let names = host.root.list(folder)?.unwrap_or_default();
    Ok(names
        .into_iter()
        .filter(|found| !found.starts_with('.') && glob::matches(name, found))
        .map(|found| format!("{folder}/{found}"))
        .collect())
}
