//! Regular expressions of the subset that Python's `re` and Rust's `regex` read alike.
//!
//! The Python package parses the subset and writes the expression out for this side: on
//! bytes, without Unicode, with explicit classes. Nothing of it matches the empty string, so
//! that every match moves on.

use crate::Error;
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;

const SIZE_LIMIT: usize = 32 << 20;

/// A piece of what a match is replaced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Literal(Vec<u8>),
    /// What this group matched; nothing if it took no part.
    Group(usize),
}

/// An expression made ready.
#[derive(Debug, Clone)]
pub struct Expression {
    regex: Regex,
}

impl Expression {
    /// Compiles an expression as the Python package writes it.
    ///
    /// # Errors
    /// [`Error::Expression`] if it is malformed, may match nothing, or is too large when compiled.
    pub fn new(source: &str) -> Result<Self, Error> {
        let tree = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(source)
            .map_err(|error| Error::Expression(error.to_string()))?;
        if tree.properties().minimum_len() == Some(0) {
            return Err(Error::Expression("it may match nothing".to_owned()));
        }
        let regex = RegexBuilder::new(source)
            .unicode(false)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| Error::Expression(error.to_string()))?;
        Ok(Self { regex })
    }

    /// How many groups there are, the whole match not counted.
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// Reports what `group` (0: all) matched, match by match; none if it took no part.
    pub fn extract(&self, text: &[u8], group: usize, mut report: impl FnMut(Option<Range<usize>>)) {
        if group == 0 {
            for found in self.regex.find_iter(text) {
                report(Some(found.range()));
            }
            return;
        }
        let mut places = self.regex.capture_locations();
        let mut from = 0;
        while let Some(found) = self.regex.captures_read_at(&mut places, text, from) {
            report(places.get(group).map(|(start, end)| start..end));
            from = found.end();
        }
    }

    /// Appends `text` with its matches replaced to `out`; tells whether it differs. Without a
    /// match, appends nothing.
    pub fn replace(&self, text: &[u8], parts: &[Part], out: &mut Vec<u8>) -> bool {
        let begun = out.len();
        let mut from = 0;
        if parts.iter().any(|part| matches!(part, Part::Group(1..))) {
            let mut places = self.regex.capture_locations();
            while let Some(found) = self.regex.captures_read_at(&mut places, text, from) {
                out.extend_from_slice(&text[from..found.start()]);
                for part in parts {
                    match part {
                        Part::Literal(literal) => out.extend_from_slice(literal),
                        Part::Group(group) => {
                            if let Some((start, end)) = places.get(*group) {
                                out.extend_from_slice(&text[start..end]);
                            }
                        }
                    }
                }
                from = found.end();
            }
        } else {
            for found in self.regex.find_iter(text) {
                out.extend_from_slice(&text[from..found.start()]);
                for part in parts {
                    match part {
                        Part::Literal(literal) => out.extend_from_slice(literal),
                        Part::Group(_) => out.extend_from_slice(found.as_bytes()),
                    }
                }
                from = found.end();
            }
        }
        if from > 0 {
            out.extend_from_slice(&text[from..]);
        }
        from > 0 && out[begun..] != *text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extracts_and_replaces() {
        let found = Expression::new(r"([a-z]+)=(?:([0-9]+)|x)").unwrap();
        let mut all = Vec::new();
        found.extract(b"a=1 b=x c=22", 2, |range| all.push(range));
        assert_eq!(all, [Some(2..3), None, Some(10..12)]);
        let parts = [Part::Group(2), Part::Literal(b":".to_vec()), Part::Group(1)];
        let mut out = Vec::new();
        assert!(found.replace(b"a=1 b=x!", &parts, &mut out));
        assert_eq!(out, b"1:a :b!");
        assert!(!found.replace(b"none", &parts, &mut out));
        assert_eq!(found.groups(), 2);
        assert!(Expression::new("(").is_err());
        for nothing in ["", "()|ab", "a*", "(?:a|b?)", r"\b"] {
            assert!(Expression::new(nothing).is_err(), "{nothing}");
        }
    }
}
