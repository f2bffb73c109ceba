//! Reads YAML text into plain values, by YAML 1.2 rules, with bounds.
//!
//! `restart: no` is text and a number with leading zeros is text, one key never hides another,
//! and aliases are expanded against a limit. The Python twin resolves scalars by the same rules.

use crate::error::TemplateError;
use crate::node::{Node, Raw};
use crate::values::{child, show};

/// Longest template accepted, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 262_144;
/// Most values in a template, counted after aliases are expanded.
pub const MAX_NODES: usize = 10_000;
/// Deepest nesting of lists and mappings.
pub const MAX_DEPTH: usize = 32;

/// Read one YAML document.
///
/// # Errors
/// Not YAML, more than one document, a tag, a duplicate key, or too large.
pub fn load(text: &str) -> Result<Node, TemplateError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(TemplateError::one(format!(
            "template: too long; expected at most {MAX_TEXT_BYTES} bytes"
        )));
    }
    if let Some((at, bad)) = text.char_indices().find(|(_, c)| !printable(*c)) {
        let line = text[..at].matches('\n').count() + 1;
        return Err(TemplateError::one(format!(
            "template: character U+{:04X} at line {line}; expected printable text",
            u32::from(bad)
        )));
    }
    let raw: Raw = serde_norway::from_str(text).map_err(|error| refused(&error))?;
    let mut checker = Checker::default();
    let node = checker.node(raw, "", 0)?;
    if checker.problems.is_empty() {
        Ok(node)
    } else {
        Err(TemplateError {
            problems: checker.problems,
        })
    }
}

fn printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

fn too_big() -> TemplateError {
    TemplateError::one(format!(
        "template: too large; expected at most {MAX_NODES} values nested {MAX_DEPTH} deep"
    ))
}

/// The parser's wording is its own affair: only the kind and the line are kept.
fn refused(error: &serde_norway::Error) -> TemplateError {
    let text = error.to_string();
    if text.contains("repetition limit") || text.contains("recursion limit") {
        return too_big();
    }
    if text.contains("more than one document") {
        return TemplateError::one("template: more than one document; expected one YAML document");
    }
    if text.contains("unknown anchor") {
        return TemplateError::one("template: an alias names no anchor before it");
    }
    let place = error
        .location()
        .map_or(String::new(), |mark| format!(" at line {}", mark.line()));
    TemplateError::one(format!(
        "template: not valid YAML{place}; expected one YAML document"
    ))
}

#[derive(Default)]
struct Checker {
    nodes: usize,
    problems: Vec<String>,
}

impl Checker {
    fn node(&mut self, raw: Raw, path: &str, depth: usize) -> Result<Node, TemplateError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err(too_big());
        }
        match raw {
            Raw::Scalar(node) => Ok(node),
            Raw::Tagged(inner) => {
                self.nodes -= 1;
                let place = if path.is_empty() { "template" } else { path };
                self.problems
                    .push(format!("{place}: a tag; expected a plain value"));
                self.node(*inner, path, depth)
            }
            Raw::List(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| self.node(item, &format!("{path}[{index}]"), depth + 1))
                .collect::<Result<_, _>>()
                .map(Node::List),
            Raw::Map(pairs) => self.mapping(pairs, path, depth),
        }
    }

    fn mapping(
        &mut self,
        pairs: Vec<(Raw, Raw)>,
        path: &str,
        depth: usize,
    ) -> Result<Node, TemplateError> {
        let mut found: Vec<(String, Node)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = self.node(key, path, depth + 1)?;
            let name = match key {
                Node::Text(text) => text,
                Node::Int(number) => number.to_string(),
                other => {
                    let place = if path.is_empty() { "template" } else { path };
                    self.problems.push(format!(
                        "{place}: a key is {}; expected a text key",
                        show(&other)
                    ));
                    String::new()
                }
            };
            let value = self.node(value, &child(path, &name), depth + 1)?;
            if let Some(slot) = found.iter_mut().find(|(known, _)| *known == name) {
                self.problems.push(format!(
                    "{}: written twice; expected once",
                    child(path, &name)
                ));
                slot.1 = value;
            } else {
                found.push((name, value));
            }
        }
        Ok(Node::Map(self.merged(found, path)))
    }

    /// Apply `<<`: the mapping's own keys win, then the earlier of several merged ones.
    fn merged(&mut self, mut found: Vec<(String, Node)>, path: &str) -> Vec<(String, Node)> {
        let Some(at) = found.iter().position(|(key, _)| key == "<<") else {
            return found;
        };
        let sources = match found.remove(at).1 {
            Node::List(sources) => sources,
            one => vec![one],
        };
        for source in sources {
            let Node::Map(pairs) = source else {
                self.problems.push(format!(
                    "{}: {}; expected a mapping to merge",
                    child(path, "<<"),
                    show(&source)
                ));
                continue;
            };
            for (key, value) in pairs {
                if !found.iter().any(|(known, _)| *known == key) {
                    found.push((key, value));
                }
            }
        }
        found
    }
}
