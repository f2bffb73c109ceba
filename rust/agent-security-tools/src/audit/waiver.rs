//! Waivers: findings that the team has accepted, each with its reason.
//!
//! The file is a JSON list of `{"check": id, "subject": glob, "reason": text}`.
//! A waiver covers failures and what could not be looked at; the evidence tells which it was.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audit::glob;
use crate::{Error, checks};

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The check's id.
    pub check: String,
    /// Which subjects, with `*` and `?`.
    pub subject: String,
    /// Why it is accepted.
    pub reason: String,
}

/// A waiver and whether it covered anything yet.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// The waiver.
    pub waiver: Waiver,
    /// It covered a finding.
    pub used: bool,
}

/// Reads a waivers file.
///
/// # Errors
/// [`Error::Input`] naming the entry that cannot be used.
pub fn parse(text: &str) -> Result<Vec<Tracked>, Error> {
    let shape = "a list of {\"check\", \"subject\", \"reason\"}";
    let entries: Vec<Value> = serde_json::from_str(text)
        .map_err(|_| Error::input("waivers", "not a JSON list", shape))?;
    entries
        .iter()
        .enumerate()
        .map(|(number, entry)| one(number, entry))
        .collect()
}

fn one(number: usize, entry: &Value) -> Result<Tracked, Error> {
    let place = format!("waivers[{number}]");
    let Some(entry) = entry.as_object() else {
        return Err(Error::input(
            place,
            "not an object",
            "\"check\", \"subject\" and \"reason\"",
        ));
    };
    let mut keys: Vec<&String> = entry.keys().collect();
    keys.sort();
    if let Some(key) = keys
        .iter()
        .find(|key| !["check", "subject", "reason"].contains(&key.as_str()))
    {
        let wants = "\"check\", \"subject\" and \"reason\"";
        return Err(Error::input(place, format!("unknown key \"{key}\""), wants));
    }
    let waiver = Waiver {
        check: field(&place, entry, "check", "the id of a check")?,
        subject: field(
            &place,
            entry,
            "subject",
            "a subject, where * stands for anything",
        )?,
        reason: field(&place, entry, "reason", "why this is accepted")?,
    };
    if !checks::ALL.iter().any(|check| check.id == waiver.check) {
        let what = format!("there is no check \"{}\"", waiver.check);
        return Err(Error::input(
            place,
            what,
            "an id from the catalog of checks",
        ));
    }
    Ok(Tracked {
        waiver,
        used: false,
    })
}

fn field(place: &str, entry: &Map<String, Value>, key: &str, wants: &str) -> Result<String, Error> {
    match entry.get(key).and_then(Value::as_str).map(str::trim_ascii) {
        Some(text) if !text.is_empty() => Ok(text.to_string()),
        _ => Err(Error::input(
            format!("{place}.{key}"),
            "missing or empty",
            wants,
        )),
    }
}

/// The reason of the first waiver that covers this subject of this check.
pub fn reason(waivers: &mut [Tracked], check: &str, subject: &str) -> Option<String> {
    let covers =
        |t: &&mut Tracked| t.waiver.check == check && glob::matches(&t.waiver.subject, subject);
    let tracked = waivers.iter_mut().find(covers)?;
    tracked.used = true;
    Some(tracked.waiver.reason.clone())
}
