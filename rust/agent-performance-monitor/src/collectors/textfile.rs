//! Adds the `*.prom` files of a folder to the page, as `node_exporter`'s textfile collector does.
//!
//! A file that can't be read, isn't well formed or repeats a name is left out as a whole, and
//! `node_textfile_scrape_error` is 1.

use std::path::Path;
use std::time::UNIX_EPOCH;

use super::Simple;
use crate::CollectError;
use crate::error::plain;
use crate::host::Host;
use crate::page::{Kind, Page, Value};
use crate::promtext::{Families, parse};

pub(super) fn collector() -> Simple {
    Simple {
        name: "textfile",
        collect,
    }
}

/// A release record is a few lines; more than this isn't meant for a scrape.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[allow(clippy::unnecessary_wraps)] // the signature of every collector
fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let mut merged = Families::new();
    let mut times: Vec<(String, u64)> = Vec::new();
    let mut failed = false;
    for file in files(host, page, &mut failed) {
        let path = Path::new(&file);
        let outcome = read(host, path)
            .and_then(|(families, nanos)| merge(&mut merged, families, page).map(|()| nanos));
        match outcome {
            Ok(nanos) => times.push((file, nanos)),
            Err(reason) => {
                failed = true;
                page.warn(format!("{file}: {reason}"));
            }
        }
    }
    for (name, family) in &merged {
        let help = family.help.as_deref().unwrap_or("Metric read from a text file.");
        page.raw(&format!(
            "# HELP {name} {help}\n# TYPE {name} {}\n",
            family.kind()
        ));
        for (_, line) in &family.samples {
            page.raw(line);
        }
    }
    if !times.is_empty() {
        page.family(
            "node_textfile_mtime_seconds",
            "Unixtime mtime of textfiles successfully read.",
            Kind::Gauge,
        );
        for (file, nanos) in &times {
            page.sample(&[("file", file)], Value::Scaled(*nanos, 9));
        }
    }
    page.single(
        "node_textfile_scrape_error",
        "1 if there was an error opening or reading a file, 0 otherwise",
        Kind::Gauge,
        Value::Int(u64::from(failed)),
    );
    Ok(())
}

fn files(host: &Host, page: &mut Page, failed: &mut bool) -> Vec<String> {
    let Some(directory) = &host.paths.textfile_directory else {
        return Vec::new();
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            *failed = true;
            page.warn(format!("{}: {}", directory.display(), plain(&error)));
            return Vec::new();
        }
    };
    let mut files: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "prom"))
        .map(|name| directory.join(name).display().to_string())
        .collect();
    files.sort();
    files
}

fn read(host: &Host, path: &Path) -> Result<(Families, u64), String> {
    let found = std::fs::metadata(path).map_err(|error| plain(&error))?;
    if !found.is_file() {
        return Err("not a regular file".into()); // a pipe would wait for its writer
    }
    if found.len() > MAX_BYTES {
        return Err(format!("has {} bytes; at most {MAX_BYTES}", found.len()));
    }
    let bytes = std::fs::read(path).map_err(|error| plain(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let nanos = match &host.recording {
        Some(recording) => recording.now_micros.saturating_mul(1000),
        None => found
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| u64::try_from(since.as_nanos()).ok())
            .unwrap_or(0),
    };
    Ok((parse(&text)?, nanos))
}

/// All or nothing: a file is added only if none of its families contradicts what is there.
fn merge(merged: &mut Families, families: Families, page: &Page) -> Result<(), String> {
    for (name, family) in &families {
        if page.has_family(name) || name.starts_with("node_textfile_") {
            return Err(format!("{name} is the name of a metric of this agent"));
        }
        let Some(before) = merged.get(name) else {
            continue;
        };
        if before.kind() != family.kind() {
            let (one, other) = (before.kind(), family.kind());
            return Err(format!("{name} is a {one} in another file and a {other} here"));
        }
        for (key, _) in &family.samples {
            if before.samples.iter().any(|(other, _)| other == key) {
                return Err(format!("{key} is in another file too"));
            }
        }
    }
    for (name, family) in families {
        let target = merged.entry(name).or_default();
        target.kind = target.kind.take().or(family.kind);
        target.help = target.help.take().or(family.help);
        target.samples.extend(family.samples);
    }
    Ok(())
}
