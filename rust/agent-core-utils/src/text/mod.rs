//! Batch string work on UTF-8 bytes.
//!
//! All of it accepts the bytes of lone surrogates too (Python's `surrogatepass`), so nothing
//! here relies on valid UTF-8: only on continuation bytes having the bits `10xxxxxx`.

mod normalize;
mod patterns;
mod redact;

pub use normalize::{Case, NormalizeOptions, normalize_ascii};
pub use patterns::{Hit, MATCH_BYTES_LIMIT, MatchKind, Matcher, PATTERNS_LIMIT};
pub use redact::{Kind, PATTERNS as REDACT_PATTERNS, Redactor, Span};

/// Converts ascending byte offsets into offsets in code points, in one pass over the text.
#[derive(Debug)]
pub(crate) struct CodePoints<'a> {
    text: &'a [u8],
    ascii: bool,
    byte: usize,
    point: usize,
}

impl<'a> CodePoints<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            ascii: text.is_ascii(),
            byte: 0,
            point: 0,
        }
    }

    /// The code points before `byte`, which must not be less than the last one asked for.
    pub(crate) fn at(&mut self, byte: usize) -> usize {
        if self.ascii {
            return byte;
        }
        let passed = &self.text[self.byte..byte];
        self.point += passed.iter().filter(|&&b| b & 0xC0 != 0x80).count();
        self.byte = byte;
        self.point
    }
}
