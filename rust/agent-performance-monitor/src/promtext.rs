//! Reads what other programs leave in `*.prom` files: Prometheus's text format 0.0.4, strictly.
//!
//! One bad line refuses its whole file: half a file would look like a change of the numbers.

use std::collections::{BTreeMap, BTreeSet};

/// The families of one or more files.
pub(crate) type Families = BTreeMap<String, Family>;

/// One family as its file wrote it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    /// Escaped already.
    pub help: Option<String>,
    pub kind: Option<String>,
    /// Lines that are ready to be written, by name and sorted labels, in the order of the file.
    pub samples: Vec<(String, String)>,
}

impl Family {
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("untyped")
    }
}

/// Parses a file; the error says which line and why.
pub(crate) fn parse(text: &str) -> Result<Families, String> {
    let mut families = Families::new();
    let mut seen = BTreeSet::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.trim_matches([' ', '\t', '\r']);
        parse_line(line, &mut families, &mut seen)
            .map_err(|what| format!("line {}: {what}", index + 1))?;
    }
    families.retain(|_, family| !family.samples.is_empty());
    Ok(families)
}

fn parse_line(
    line: &str,
    families: &mut Families,
    seen: &mut BTreeSet<String>,
) -> Result<(), String> {
    if line.is_empty() {
        return Ok(());
    }
    if line.starts_with('#') {
        return parse_comment(line, families);
    }
    let sample = Sample::parse(line)?;
    if !seen.insert(sample.key.clone()) {
        return Err(format!("{} is there twice", sample.key));
    }
    let name = family_name(&sample.name, families);
    let family = families.entry(name).or_default();
    family.samples.push((sample.key, sample.line));
    Ok(())
}

fn parse_comment(line: &str, families: &mut Families) -> Result<(), String> {
    let is_help = line.starts_with("# HELP ");
    if !is_help && !line.starts_with("# TYPE ") {
        return Ok(());
    }
    let rest = line[7..].trim_start_matches([' ', '\t']);
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let (name, value) = rest.split_at(end);
    let value = value.trim_matches([' ', '\t']);
    if name_length(name) != name.len() || name.is_empty() {
        return Err(format!("{name:?} is not a metric name"));
    }
    let family = families.entry(name.to_string()).or_default();
    if is_help {
        if family.help.is_some() {
            return Err(format!("second HELP line for {name}"));
        }
        family.help = Some(value.to_string());
        return Ok(());
    }
    if family.kind.is_some() {
        return Err(format!("second TYPE line for {name}"));
    }
    if !family.samples.is_empty() {
        return Err(format!("TYPE line for {name} after its samples"));
    }
    if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&value) {
        return Err(format!("unknown type {value:?}"));
    }
    family.kind = Some(value.to_string());
    Ok(())
}

/// A histogram's or summary's samples carry its name with a suffix.
fn family_name(sample: &str, families: &Families) -> String {
    for (suffix, kinds) in [
        ("_bucket", &["histogram"][..]),
        ("_count", &["histogram", "summary"]),
        ("_sum", &["histogram", "summary"]),
    ] {
        if let Some(base) = sample.strip_suffix(suffix) {
            let kind = families.get(base).map_or("", Family::kind);
            if kinds.contains(&kind) {
                return base.to_string();
            }
        }
    }
    sample.to_string()
}

struct Sample {
    name: String,
    key: String,
    line: String,
}

impl Sample {
    fn parse(line: &str) -> Result<Self, String> {
        let (name, mut rest) = line.split_at(name_length(line));
        if name.is_empty() {
            return Err("expected a metric name".into());
        }
        rest = rest.trim_start_matches([' ', '\t']);
        let mut labels = Vec::new();
        if let Some(inner) = rest.strip_prefix('{') {
            (labels, rest) = parse_labels(inner)?;
        }
        let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
        let value = words.next().unwrap_or("");
        if !is_value(value) {
            return Err(format!("{value:?} is not a number"));
        }
        if words.next().is_some() {
            return Err("timestamps are not supported".into());
        }
        let written = |labels: &[String]| {
            if labels.is_empty() {
                name.to_string()
            } else {
                format!("{name}{{{}}}", labels.join(","))
            }
        };
        let line = format!("{} {value}\n", written(&labels));
        labels.sort();
        Ok(Self {
            name: name.to_string(),
            key: written(&labels),
            line,
        })
    }
}

/// Reads `a="b",c="d"}`; returns the pairs as written, and what follows the brace.
fn parse_labels(mut rest: &str) -> Result<(Vec<String>, &str), String> {
    let blank = [' ', '\t'];
    let mut labels: Vec<String> = Vec::new();
    let mut names = BTreeSet::new();
    loop {
        rest = rest.trim_start_matches(blank);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_at(name_length(rest));
        if name.is_empty() || name.contains(':') {
            return Err("expected a label name".into());
        }
        let quoted = after
            .trim_start_matches(blank)
            .strip_prefix('=')
            .and_then(|after| after.trim_start_matches(blank).strip_prefix('"'))
            .ok_or_else(|| format!("expected =\"…\" after the label {name}"))?;
        let end = quote_end(quoted).ok_or_else(|| format!("the label {name} does not end"))?;
        let (value, after) = quoted.split_at(end);
        if !names.insert(name) {
            return Err(format!("the label {name} is there twice"));
        }
        labels.push(format!("{name}=\"{value}\""));
        rest = after[1..].trim_start_matches(blank);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(format!("expected a comma after the label {name}")),
        }
    }
}

/// Where the closing quote is; only `\\`, `\"` and `\n` are escapes.
fn quote_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(index),
            b'\\' => match bytes.next() {
                Some((_, b'\\' | b'"' | b'n')) => {}
                _ => return None,
            },
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    text.bytes()
        .enumerate()
        .take_while(|&(index, byte)| {
            byte.is_ascii_alphabetic()
                || byte == b'_'
                || byte == b':'
                || (index > 0 && byte.is_ascii_digit())
        })
        .count()
}

/// `[+-]?(digits[.digits]|.digits)([eE][+-]?digits)?`, `[+-]?Inf` or `NaN`.
fn is_value(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.eq_ignore_ascii_case("inf") || text.eq_ignore_ascii_case("nan") {
        return true;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_fine = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    !(whole.is_empty() && fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent_is_fine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_exporters_write() {
        let families = parse(
            "# a comment\n# HELP up Is \\\\ it\n# TYPE up gauge\nup{b=\"1\", a=\"x\\\"}\",} 1e3\n\n\
             # TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 0.5\nh_count 3\nplain -Inf\n",
        )
        .unwrap();
        let names: Vec<&String> = families.keys().collect();
        assert_eq!(names, ["h", "plain", "up"]);
        assert_eq!(families["h"].samples.len(), 3);
        assert_eq!(families["up"].help.as_deref(), Some("Is \\\\ it"));
        assert_eq!(families["up"].samples[0].0, "up{a=\"x\\\"}\",b=\"1\"}");
        assert_eq!(
            families["up"].samples[0].1,
            "up{b=\"1\",a=\"x\\\"}\"} 1e3\n"
        );
        assert_eq!(families["plain"].kind(), "untyped");
    }

    #[test]
    fn says_which_line_is_wrong() {
        for (text, what) in [
            ("a 1\na 2\n", "line 2: a is there twice"),
            (
                "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1",
                "line 2: a{x=\"1\",y=\"2\"} is there twice",
            ),
            ("a 1 1700000000", "line 1: timestamps are not supported"),
            ("a one", "line 1: \"one\" is not a number"),
            ("a", "line 1: \"\" is not a number"),
            ("1a 1", "line 1: expected a metric name"),
            ("a{x=1} 1", "line 1: expected =\"…\" after the label x"),
            ("a{x=\"1} 1", "line 1: the label x does not end"),
            ("a{x=\"\\t\"} 1", "line 1: the label x does not end"),
            (
                "a{x=\"1\" y=\"2\"} 1",
                "line 1: expected a comma after the label x",
            ),
            ("a{x=\"1\",x=\"2\"} 1", "line 1: the label x is there twice"),
            ("a{,} 1", "line 1: expected a label name"),
            ("# TYPE a foo", "line 1: unknown type \"foo\""),
            (
                "# TYPE a gauge\n# TYPE a gauge",
                "line 2: second TYPE line for a",
            ),
            (
                "a 1\n# TYPE a gauge",
                "line 2: TYPE line for a after its samples",
            ),
            ("# HELP a x\n# HELP a y", "line 2: second HELP line for a"),
            ("# HELP 1 x", "line 1: \"1\" is not a metric name"),
        ] {
            assert_eq!(parse(text).unwrap_err(), what);
        }
    }

    #[test]
    fn numbers_are_gos() {
        for text in [
            "0", "-1.5", "+.5", "5.", "1e9", "1E-9", "NaN", "+Inf", "-inf",
        ] {
            assert!(is_value(text), "{text}");
        }
        for text in [
            "", ".", "-", "1e", "0x10", "1_0", "e5", "+NaN", "infinity", "١",
        ] {
            assert!(!is_value(text), "{text}");
        }
    }
}
