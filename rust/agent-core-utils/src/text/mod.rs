//! Batch string work on UTF-8 bytes.
//!
//! All of it accepts the bytes of lone surrogates too (Python's `surrogatepass`), so nothing
//! here relies on valid UTF-8: only on continuation bytes having the bits `10xxxxxx`.

mod chunks;
mod expression;
mod hashes;
mod normalize;
mod patterns;
pub mod plan;
mod redact;
mod shingles;
pub mod similarity;
mod vectors;
mod words;

pub use chunks::{ChunkBy, ChunkOptions, chunks};
pub use expression::{Expression, Part};
pub use hashes::{HashKind, fast64};
pub use normalize::{Case, NormalizeOptions, normalize_ascii, normalize_ascii_batch};
pub use patterns::{Found, Hit, MATCH_BYTES_LIMIT, MatchKind, Matcher, PATTERNS_LIMIT};
pub use redact::{Kind, Redactor, Scratch, Span, restore};
pub use shingles::{MinHash, Pair};
pub use words::{NON_WORD, fields, sentences, tokens, words};

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
