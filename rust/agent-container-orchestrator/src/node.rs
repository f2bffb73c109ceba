//! Plain values of a template or request, as read from YAML or JSON, keys in their order.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use crate::error::TemplateError;

/// A plain value. A mapping keeps the order in which it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Nothing written.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; infinite where a whole number was too large.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping with text keys, each once.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Read from JSON; of a key written twice the last counts.
    ///
    /// # Errors
    /// Not JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Raw>(text).map(Raw::plain)
    }

    /// Read from YAML 1.2, within the bounds of a template.
    ///
    /// # Errors
    /// Not YAML, a tag, a duplicate key, or too large.
    pub fn from_yaml(text: &str) -> Result<Self, TemplateError> {
        crate::yaml::load(text)
    }

    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What the YAML reader sees, before keys are checked: a mapping may have any keys, more than once.
#[derive(Debug, Clone)]
pub(crate) enum Raw {
    Scalar(Node),
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
    Tagged(Box<Raw>),
}

impl Raw {
    fn plain(self) -> Node {
        match self {
            Self::Scalar(node) => node,
            Self::List(items) => Node::List(items.into_iter().map(Self::plain).collect()),
            Self::Tagged(inner) => inner.plain(),
            Self::Map(pairs) => {
                let mut found: Vec<(String, Node)> = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let Node::Text(key) = key.plain() else {
                        continue;
                    };
                    match found.iter_mut().find(|(name, _)| *name == key) {
                        Some(slot) => slot.1 = value.plain(),
                        None => found.push((key, value.plain())),
                    }
                }
                Node::Map(found)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

fn large() -> Raw {
    Raw::Scalar(Node::Float(f64::INFINITY)) // no field takes it: refused where it stands
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a plain value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Node::Null))
    }
    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Node::Null))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Node::Bool(value)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        let in_range = value != i64::MIN; // symmetric, as in the Python twin
        Ok(if in_range {
            Raw::Scalar(Node::Int(value))
        } else {
            large()
        })
    }
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or_else(|_| large(), |v| Raw::Scalar(Node::Int(v))))
    }
    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(large())
    }
    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(large())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Node::Float(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Node::Text(value.to_owned())))
    }
    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Scalar(Node::Text(value)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Raw::Map(pairs))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Raw, A::Error> {
        let (_, contents) = data.variant::<String>()?;
        Ok(Raw::Tagged(Box::new(contents.newtype_variant()?)))
    }
}
