//! Small readers of template values: paths, durations, sizes, decimals, words.
//!
//! Each works by exact integer arithmetic: both implementations must give the same answer.

use std::sync::LazyLock;

use regex::Regex;

use crate::node::Node;

/// Compile a pattern that is part of the program; the tests run every one of them.
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(&format!("^(?:{text})$")).expect("the program's own pattern")
}

/// The path of a key below `path`; an unusual key is quoted in brackets.
pub fn child(path: &str, key: &str) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if key.is_empty() || !key.chars().all(usual) {
        format!("{path}[{}]", quoted(key))
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Show a text in a message: quoted, on one line, cut after 60 characters.
pub fn show_text(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => quoted(&format!("{}…", &text[..at])),
        None => quoted(text),
    }
}

/// Show a value in a message: short, on one line, the same in both implementations.
pub fn show(node: &Node) -> String {
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(_) => "a number".to_owned(),
        Node::Text(text) => show_text(text),
        Node::List(_) => "a list".to_owned(),
        Node::Map(_) => "a mapping".to_owned(),
    }
}

/// A YAML number as text, or nothing where its text would be a matter of taste.
pub fn number_text(value: f64) -> Option<String> {
    let size = value.abs();
    (size == 0.0 || (1e-4..1e15).contains(&size)).then(|| format!("{value:?}"))
}

const MAX_DURATION_NS: u64 = 86_400_000_000_000;

/// Read a duration as Go writes it (`1m30s`, `1.5s`), in nanoseconds; at most a day.
pub fn parse_duration(text: &str) -> Option<u64> {
    static PART: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([0-9]{1,9})(?:\.([0-9]{1,9}))?(ns|us|ms|s|m|h)").expect("own pattern")
    });
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let part = PART.captures(rest)?;
        let unit: u64 = match &part[3] {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            _ => 3_600_000_000_000,
        };
        let mut value = u128::from(part[1].parse::<u64>().ok()?) * u128::from(unit);
        if let Some(fraction) = part.get(2) {
            let digits = fraction.as_str();
            value += digits.parse::<u128>().ok()? * u128::from(unit)
                / 10_u128.pow(u32::try_from(digits.len()).ok()?);
        }
        total = total.saturating_add(u64::try_from(value).unwrap_or(u64::MAX));
        rest = &rest[part[0].len()..];
    }
    (!text.is_empty() && total <= MAX_DURATION_NS).then_some(total)
}

/// Read a size (`64m`, `1.5gb`), in bytes; the units are powers of 1024.
pub fn parse_bytes(text: &str) -> Option<u64> {
    static SIZE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?(b|kb|kib|k|mb|mib|m|gb|gib|g)?")
    });
    let text = text.to_ascii_lowercase();
    let parts = SIZE.captures(&text)?;
    let shift = match parts.get(3).map_or("b", |unit| &unit.as_str()[..1]) {
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => 0,
    };
    let mut total = parts[1].parse::<u128>().ok()? << shift;
    if let Some(fraction) = parts.get(2) {
        let digits = fraction.as_str();
        total += (digits.parse::<u128>().ok()? << shift)
            / 10_u128.pow(u32::try_from(digits.len()).ok()?);
    }
    u64::try_from(total).ok().filter(|size| *size < 1 << 53)
}

/// Read a decimal number, in billionths.
pub fn parse_decimal(text: &str) -> Option<u64> {
    static DECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"([0-9]{1,6})(?:\.([0-9]{1,9}))?"));
    let parts = DECIMAL.captures(text)?;
    let fraction = parts.get(2).map_or("", |digits| digits.as_str());
    Some(
        parts[1].parse::<u64>().ok()? * 1_000_000_000
            + format!("{fraction:0<9}").parse::<u64>().ok()?,
    )
}

/// Split a command line as a POSIX shell would, without expansion; nothing if a quote is open.
pub fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None; // none between words, so that '' is a word
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if let Some(open) = quote {
            let current = word.get_or_insert_default();
            if c == open {
                quote = None;
            } else if open == '"' && c == '\\' && matches!(chars.peek(), Some('"' | '\\')) {
                current.extend(chars.next());
            } else {
                current.push(c);
            }
        } else if matches!(c, ' ' | '\t' | '\r' | '\n') {
            words.extend(word.take());
        } else {
            let current = word.get_or_insert_default();
            match c {
                '\'' | '"' => quote = Some(c),
                '\\' => current.push(chars.next()?),
                _ => current.push(c),
            }
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    Some(words)
}

/// Normalize an absolute path lexically (`//`, `.`, `..`); nothing if it is not absolute.
pub fn clean_path(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}
