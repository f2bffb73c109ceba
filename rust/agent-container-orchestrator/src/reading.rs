//! Reads one template node after another, noting every problem with its path instead of stopping.

use std::collections::BTreeMap;

use regex::Regex;

use crate::interpolation::Variables;
use crate::node::Node;
use crate::values::{child, number_text, show, show_text};

/// Collects problems; each method returns a usable value even where it noted one.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub problems: Vec<String>,
}

/// The pairs of a mapping that has been read.
pub(crate) struct Fields<'a>(&'a [(String, Node)]);

impl<'a> Fields<'a> {
    /// The value of a key, null if it is not there.
    pub fn get(&self, key: &str) -> &'a Node {
        self.find(key).unwrap_or(&Node::Null)
    }
    /// The value of a key that is there, even if null.
    pub fn find(&self, key: &str) -> Option<&'a Node> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, v)| v)
    }
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Node)> + use<'a> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl Reader {
    /// Note one problem.
    pub fn problem(&mut self, path: &str, what: impl AsRef<str>, expected: impl AsRef<str>) {
        self.problems.push(format!(
            "{path}: {}; expected {}",
            what.as_ref(),
            expected.as_ref()
        ));
    }

    /// Read a mapping (null is an empty one) with any keys.
    pub fn any_mapping<'a>(&mut self, node: &'a Node, path: &str) -> Fields<'a> {
        match node {
            Node::Null => Fields(&[]),
            Node::Map(pairs) => Fields(pairs),
            other => {
                self.problem(path, show(other), "a mapping");
                Fields(&[])
            }
        }
    }

    /// Read a mapping; keys outside `allowed` are problems.
    pub fn mapping<'a>(&mut self, node: &'a Node, path: &str, allowed: &[&str]) -> Fields<'a> {
        let fields = self.any_mapping(node, path);
        for (key, _) in fields.iter().filter(|(key, _)| !allowed.contains(key)) {
            let expected = format!("one of {}", allowed.join(", "));
            self.problem(&child(path, key), "unknown key", expected);
        }
        fields
    }

    /// Read a list (null is an empty one).
    pub fn items<'a>(&mut self, node: &'a Node, path: &str, what: &str) -> &'a [Node] {
        match node {
            Node::Null => &[],
            Node::List(items) => items,
            other => {
                self.problem(path, show(other), what);
                &[]
            }
        }
    }

    /// Read a text, whole numbers included; the pattern must match.
    pub fn text(
        &mut self,
        node: &Node,
        path: &str,
        expected: &str,
        rule: Option<&Regex>,
    ) -> String {
        let text = match node {
            Node::Text(text) => Some(text.clone()),
            Node::Int(number) => Some(number.to_string()),
            _ => None,
        };
        let shown = text.as_deref().map_or_else(|| show(node), show_text);
        text.filter(|text| rule.is_none_or(|rule| rule.is_match(text)))
            .unwrap_or_else(|| {
                self.problem(path, shown, expected);
                String::new()
            })
    }

    /// Read any scalar as the text that was meant.
    pub fn scalar(&mut self, node: &Node, path: &str) -> String {
        let written = match node {
            Node::Text(text) => Some(text.clone()),
            Node::Bool(value) => Some(value.to_string()),
            Node::Int(value) => Some(value.to_string()),
            Node::Float(value) => number_text(*value),
            _ => None,
        };
        written.unwrap_or_else(|| {
            self.problem(path, show(node), "a text; write it in quotes");
            String::new()
        })
    }

    /// Read true or false; null is false.
    pub fn boolean(&mut self, node: &Node, path: &str) -> bool {
        match node {
            Node::Null => false,
            Node::Bool(value) => *value,
            Node::Text(text) if text == "true" => true,
            Node::Text(text) if text == "false" => false,
            other => {
                self.problem(path, show(other), "true or false");
                false
            }
        }
    }

    /// Read a whole number between two bounds, both included.
    pub fn whole(&mut self, node: &Node, path: &str, low: u64, high: u64) -> u64 {
        let digits = |text: &str| {
            (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let value = match node {
            Node::Int(value) => u64::try_from(*value).ok(),
            Node::Text(text) if digits(text) => text.parse().ok(),
            _ => None,
        };
        value
            .filter(|value| (low..=high).contains(value))
            .unwrap_or_else(|| {
                let expected = format!("a whole number from {low} to {high}");
                self.problem(path, show(node), expected);
                low
            })
    }

    /// Read a list of scalars as texts.
    pub fn texts(&mut self, node: &Node, path: &str, expected: &str) -> Vec<String> {
        let items = self.items(node, path, expected);
        items
            .iter()
            .enumerate()
            .map(|(index, item)| self.scalar(item, &format!("{path}[{index}]")))
            .collect()
    }

    /// Read `KEY: value` or a list of `KEY=value`.
    ///
    /// With `variables`, a key without a value takes the variable of its name (Compose's rule for
    /// `environment`); without, it is an empty text (its rule for `labels`).
    pub fn pairs(
        &mut self,
        node: &Node,
        path: &str,
        variables: Option<&Variables>,
    ) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        if let Node::List(items) = node {
            for (index, item) in items.iter().enumerate() {
                let place = format!("{path}[{index}]");
                let text = self.scalar(item, &place);
                let (key, value) = match text.split_once('=') {
                    Some((key, value)) => (key, Some(value.to_owned())),
                    None => (text.as_str(), None),
                };
                self.pair(&mut found, key, value, &place, variables);
            }
            return found;
        }
        for (key, value) in self.any_mapping(node, path).iter() {
            let place = child(path, key);
            let written = match value {
                Node::Null => None,
                value => Some(self.scalar(value, &place)),
            };
            self.pair(&mut found, key, written, &place, variables);
        }
        found
    }

    fn pair(
        &mut self,
        found: &mut BTreeMap<String, String>,
        key: &str,
        value: Option<String>,
        place: &str,
        variables: Option<&Variables>,
    ) {
        if key.is_empty() || key.contains('=') {
            self.problem(
                place,
                format!("the name {}", show_text(key)),
                "a name without '='",
            );
            return;
        }
        if found.contains_key(key) {
            self.problem(
                place,
                format!("{} written twice", show_text(key)),
                "it once",
            );
        }
        let value = match (value, variables) {
            (Some(value), _) => value,
            (None, None) => String::new(),
            (None, Some(variables)) => variables.get(key).cloned().unwrap_or_else(|| {
                self.problem(
                    place,
                    format!("variable {} is not set", show_text(key)),
                    "a value",
                );
                String::new()
            }),
        };
        found.insert(key.to_owned(), value);
    }
}
