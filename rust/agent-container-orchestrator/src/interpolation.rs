//! Puts variables into the texts of a template, as the Compose specification writes them.
//!
//! `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`,
//! `${NAME?message}`, `${NAME:+other}`, `${NAME+other}` and `$$` for a dollar sign; defaults may
//! hold variables themselves. Unlike Compose, a variable that is not set and has no default is
//! refused: an empty password is not what anybody meant.
//! Runs after the YAML is read, so no value can change the structure of a template.

use std::collections::BTreeMap;

use crate::error::TemplateError;
use crate::node::Node;
use crate::values::{child, show_text};

/// Name to value.
pub type Variables = BTreeMap<String, String>;

const MAX_DEPTH: usize = 8;
const MAX_RESULT: usize = 65_536;

/// Replace the variables in one text.
///
/// # Errors
/// A variable is not set, or a dollar sign starts nothing known.
pub fn interpolate(text: &str, variables: &Variables) -> Result<String, TemplateError> {
    expanded(text, variables).map_err(|problem| TemplateError::one(format!("text: {problem}")))
}

/// Replace the variables in every text value of a tree; keys are left alone.
pub(crate) fn interpolate_tree(
    node: &Node,
    variables: &Variables,
    path: &str,
    problems: &mut Vec<String>,
) -> Node {
    let nul = |place: &str| format!("{place}: a NUL character; expected text without it");
    match node {
        Node::Text(text) => match expanded(text, variables) {
            Ok(value) => {
                if value.contains('\0') {
                    problems.push(nul(path));
                }
                Node::Text(value)
            }
            Err(problem) => {
                problems.push(format!("{path}: {problem}"));
                Node::Text(String::new())
            }
        },
        Node::List(items) => Node::List(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| {
                    interpolate_tree(item, variables, &format!("{path}[{i}]"), problems)
                })
                .collect(),
        ),
        Node::Map(pairs) => {
            for (key, _) in pairs.iter().filter(|(key, _)| key.contains('\0')) {
                problems.push(nul(&child(path, key)));
            }
            Node::Map(
                pairs
                    .iter()
                    .map(|(key, value)| {
                        let place = child(path, key);
                        (
                            key.clone(),
                            interpolate_tree(value, variables, &place, problems),
                        )
                    })
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn expanded(text: &str, variables: &Variables) -> Result<String, String> {
    let mut expansion = Expansion {
        text,
        variables,
        at: 0,
    };
    let result = expansion.run(false, true, 0)?;
    if result.chars().count() > MAX_RESULT {
        return Err(format!(
            "too long with its variables; expected at most {MAX_RESULT} characters"
        ));
    }
    Ok(result)
}

struct Expansion<'a> {
    text: &'a str,
    variables: &'a Variables,
    at: usize,
}

impl Expansion<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Expand up to the end, or up to `}` when nested; if not live, only skip.
    fn run(&mut self, nested: bool, live: bool, depth: usize) -> Result<String, String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "variables nested too deep; expected at most {MAX_DEPTH} levels"
            ));
        }
        let mut out = String::new();
        while let Some(c) = self.rest().chars().next() {
            if nested && c == '}' {
                return Ok(out);
            }
            self.at += c.len_utf8();
            if c == '$' {
                out.push_str(&self.variable(live, depth)?);
            } else {
                out.push(c);
            }
        }
        if nested {
            Err(self.malformed())
        } else {
            Ok(out)
        }
    }

    fn variable(&mut self, live: bool, depth: usize) -> Result<String, String> {
        if self.rest().starts_with('$') {
            self.at += 1;
            return Ok("$".to_owned());
        }
        let braced = self.rest().starts_with('{');
        self.at += usize::from(braced);
        let name_end = self
            .rest()
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest().len());
        let name = self.rest()[..name_end].to_owned();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.malformed());
        }
        self.at += name_end;
        let value = self.variables.get(&name);
        let operator = if braced { self.operator() } else { None };
        let Some((colon, kind)) = operator else {
            if braced {
                self.close()?;
            }
            if value.is_none() && live {
                return Err(format!(
                    "variable {name} is not set; expected a value or a default, ${{{name}:-…}}"
                ));
            }
            return Ok(value.cloned().unwrap_or_default());
        };
        let usable = value.filter(|v| !colon || !v.is_empty());
        let wanted = if kind == '+' {
            usable.is_some()
        } else {
            usable.is_none()
        };
        let argument = self.run(true, live && wanted, depth + 1)?;
        self.close()?;
        match (kind, usable) {
            ('+', Some(_)) => Ok(argument),
            ('+', None) => Ok(String::new()),
            (_, Some(value)) => Ok(value.clone()),
            ('?', None) if live => {
                let reason = if argument.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", show_text(&argument))
                };
                Err(format!(
                    "variable {name} is not set{reason}; expected a value"
                ))
            }
            (_, None) => Ok(argument),
        }
    }

    /// Take `:-`, `-`, `:?`, `?`, `:+` or `+`: whether it has the colon, and its kind.
    fn operator(&mut self) -> Option<(bool, char)> {
        let colon = self.rest().starts_with(':');
        let kind = self.rest().chars().nth(usize::from(colon))?;
        if !matches!(kind, '-' | '?' | '+') {
            return None;
        }
        self.at += 1 + usize::from(colon);
        Some((colon, kind))
    }

    fn close(&mut self) -> Result<(), String> {
        if !self.rest().starts_with('}') {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(())
    }

    fn malformed(&self) -> String {
        format!(
            "a dollar sign in {} starts nothing known; expected $NAME, ${{NAME}}, \
             ${{NAME:-default}}, ${{NAME:?message}} or $$ for a dollar sign",
            show_text(self.text)
        )
    }
}
