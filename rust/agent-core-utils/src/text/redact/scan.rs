//! One pass over a text for what a sensitive piece can begin with or be known by.
//!
//! The pass works on blocks of 64 bytes without branches, so that the compiler makes vectors
//! of it; the places of the few bytes that matter are noted for the rules.

#![expect(
    clippy::inline_always,
    reason = "only inlined code gets the wide vectors"
)]

use crate::text::vectors::{Kernel, wide};

const BLOCK: usize = 64;

/// The places of interest in a text, ascending; kept between texts for its memory.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Digits that follow no digit.
    pub(super) numbers: Vec<usize>,
    /// `@`.
    pub(super) ats: Vec<usize>,
    /// `:`.
    pub(super) colons: Vec<usize>,
    /// Bytes that tell a token: `-`, `_`, `AK`, `AS`, `AI`, `yJ`.
    pub(super) tokens: Vec<usize>,
}

struct Scan<'a> {
    places: &'a mut Places,
    text: &'a [u8],
}

impl Kernel for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.places.scan_blocks(self.text);
    }
}

impl Places {
    fn clear(&mut self) {
        self.numbers.clear();
        self.ats.clear();
        self.colons.clear();
        self.tokens.clear();
    }

    /// Looks at a byte that may matter together with its neighbors.
    fn note(&mut self, text: &[u8], at: usize) {
        let before = at.checked_sub(1).map_or(0, |before| text[before]);
        match text[at] {
            b'0'..=b'9' if !before.is_ascii_digit() => self.numbers.push(at),
            b'@' => self.ats.push(at),
            b':' => self.colons.push(at),
            b'-' | b'_' => self.tokens.push(at),
            b'A' if matches!(text.get(at + 1), Some(b'K' | b'S' | b'I')) => self.tokens.push(at),
            b'J' if before == b'y' => self.tokens.push(at - 1),
            _ => {}
        }
    }

    /// Notes the places of `text`.
    pub(super) fn scan(&mut self, text: &[u8]) {
        self.clear();
        wide(Scan { places: self, text });
    }

    #[inline(always)]
    fn scan_blocks(&mut self, text: &[u8]) {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let tail = if rest.is_empty() { None } else { Some(&last) };
        for (nth, block) in blocks.iter().chain(tail).enumerate() {
            let mut flags = [0_u8; BLOCK];
            let mut any = 0;
            for at in 0..BLOCK {
                let matters = matters(block[at]);
                flags[at] = matters;
                any |= matters;
            }
            if any != 0 {
                self.note_flagged(text, nth * BLOCK, &flags);
            }
        }
    }

    #[inline(never)]
    fn note_flagged(&mut self, text: &[u8], from: usize, flags: &[u8; BLOCK]) {
        for (nth, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
            let mut word = u64::from_le_bytes(*eight);
            while word != 0 {
                self.note(text, from + nth * 8 + word.trailing_zeros() as usize / 8);
                word &= word - 1; // a flag has one bit
            }
        }
    }
}

/// Whether a byte may matter, as 0 or 1.
#[inline(always)]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "branches would keep the compiler from vectors"
)]
const fn matters(byte: u8) -> u8 {
    ((byte.wrapping_sub(b'0') < 11) // the digits, and the colon behind them
        | (byte == b'@')
        | (byte == b'-')
        | (byte == b'_')
        | (byte == b'A')
        | (byte == b'J')) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_around_block_borders() {
        for shift in 0..70 {
            let text = format!("{}1a22@b:AKeyJ-_x9", "x".repeat(shift));
            let mut places = Places::default();
            places.scan(text.as_bytes());
            let moved = |places: &[usize]| places.iter().map(|at| at + shift).collect::<Vec<_>>();
            assert_eq!(places.numbers, moved(&[0, 2, 15]));
            assert_eq!(places.ats, moved(&[4]));
            assert_eq!(places.colons, moved(&[6]));
            assert_eq!(places.tokens, moved(&[7, 10, 12, 13]));
        }
    }
}
