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
const DIGIT: u8 = 1;
const AT: u8 = 2;
const COLON: u8 = 4;
const TOKEN: u8 = 8;

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

    fn note(&mut self, flags: u8, at: usize) {
        if flags & DIGIT != 0 {
            self.numbers.push(at);
        }
        if flags & AT != 0 {
            self.ats.push(at);
        }
        if flags & COLON != 0 {
            self.colons.push(at);
        }
        if flags & TOKEN != 0 {
            self.tokens.push(at);
        }
    }

    /// Notes the places of `text`.
    pub(super) fn scan(&mut self, text: &[u8]) {
        self.clear();
        wide(Scan { places: self, text });
    }

    #[inline(always)]
    fn scan_blocks(&mut self, text: &[u8]) {
        let mut at = 0;
        let mut padded = [0_u8; BLOCK + 2];
        while at < text.len() {
            // With one byte before and one after; at the ends of the text these are zeros.
            let whole = at > 0 && at + BLOCK < text.len();
            let window: &[u8; BLOCK + 2] = match text.get(at.wrapping_sub(1)..at + BLOCK + 1) {
                Some(window) if whole => match window.try_into() {
                    Ok(window) => window,
                    Err(_) => &padded,
                },
                _ => {
                    padded = [0; BLOCK + 2];
                    padded[0] = if at > 0 { text[at - 1] } else { 0 };
                    let end = text.len().min(at + BLOCK + 1);
                    padded[1..=end - at].copy_from_slice(&text[at..end]);
                    &padded
                }
            };
            let mut flags = [0_u8; BLOCK];
            let mut any = 0;
            for place in 0..BLOCK {
                let flag = flag(window[place], window[place + 1], window[place + 2]);
                flags[place] = flag;
                any |= flag;
            }
            if any != 0 {
                for (nth, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
                    let mut word = u64::from_le_bytes(*eight);
                    while word != 0 {
                        let byte = word.trailing_zeros() / 8;
                        self.note(eight[byte as usize], at + nth * 8 + byte as usize);
                        word &= !(0xFF << (byte * 8));
                    }
                }
            }
            at += BLOCK;
        }
    }
}

#[inline(always)]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "branches would keep the compiler from vectors"
)]
const fn flag(before: u8, byte: u8, after: u8) -> u8 {
    let digit = (byte.wrapping_sub(b'0') < 10) & (before.wrapping_sub(b'0') >= 10);
    let key = (byte == b'A') & ((after == b'K') | (after == b'S') | (after == b'I'));
    let web = (byte == b'y') & (after == b'J');
    let token = (byte == b'-') | (byte == b'_') | key | web;
    (digit as u8 * DIGIT)
        | ((byte == b'@') as u8 * AT)
        | ((byte == b':') as u8 * COLON)
        | (token as u8 * TOKEN)
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
