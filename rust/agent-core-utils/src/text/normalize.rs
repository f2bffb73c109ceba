//! Case, whitespace and control characters of ASCII text, 64 bytes at a time.
//!
//! Only ASCII: the tables of Rust's standard library and of each Python differ for dozens of
//! other code points, so those strings are left to the caller, who has the tables that count.
//!
//! The loops over a block have no branch, so that the compiler makes vectors of them; in a
//! kernel these are the widest that the processor has.

#![expect(
    clippy::inline_always,
    reason = "only inlined code gets the wide vectors"
)]

use super::vectors::{Kernel, wide};
use std::ops::Range;

/// What becomes of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// They stay.
    Keep,
    /// They become small. Case folding is the same within ASCII.
    #[default]
    Lower,
    /// They become capitals.
    Upper,
}

/// What [`normalize_ascii`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NormalizeOptions {
    /// What becomes of letters.
    pub case: Case,
    /// Runs of whitespace become one space; at the ends they go.
    pub whitespace: bool,
    /// Control characters that are no whitespace go.
    pub controls: bool,
}

const BLOCK: usize = 64;

/// ASCII whitespace as Python's `str.split` sees it: U+001C to U+001F are in.
const fn is_space(byte: u8) -> bool {
    byte == b' ' || byte.wrapping_sub(0x09) < 5 || byte.wrapping_sub(0x1C) < 4
}

const fn is_dropped_control(byte: u8) -> bool {
    (byte < 0x20 || byte == 0x7F) && !is_space(byte)
}

/// Normalizes many texts into one buffer; for each that differs, says where it stands there.
/// A `None` is left alone. What was in `out` before goes.
pub fn normalize_ascii_batch(
    texts: &[Option<&[u8]>],
    options: NormalizeOptions,
    out: &mut Vec<u8>,
) -> Vec<Option<Range<usize>>> {
    let total: usize = texts.iter().flatten().map(|text| text.len()).sum();
    let mut places = Vec::with_capacity(texts.len());
    // A buffer of before is kept as it is: to fill it with zeros costs more than the work.
    let needed = total + 2 * BLOCK;
    if out.len() < needed {
        out.resize(needed, 0);
    }
    wide(Batch {
        texts,
        options,
        target: out,
        places: &mut places,
    });
    places
}

struct Batch<'a> {
    texts: &'a [Option<&'a [u8]>],
    options: NormalizeOptions,
    target: &'a mut [u8],
    places: &'a mut Vec<Option<Range<usize>>>,
}

impl Kernel for Batch<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut from = 0;
        for text in self.texts {
            let mut place = None;
            if let Some(text) = text {
                let end = from + one(text, self.options, &mut self.target[from..]);
                if self.target[from..end] != **text {
                    place = Some(from..end);
                    from = end;
                }
            }
            self.places.push(place);
        }
    }
}

struct Single<'a> {
    text: &'a [u8],
    options: NormalizeOptions,
    target: &'a mut [u8],
}

impl Kernel for Single<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        one(self.text, self.options, self.target)
    }
}

/// Appends the normal form of `text`, which must be ASCII, to `out`; tells whether it differs.
pub fn normalize_ascii(text: &[u8], options: NormalizeOptions, out: &mut Vec<u8>) -> bool {
    debug_assert!(text.is_ascii());
    let from = out.len();
    out.resize(from + text.len() + 2 * BLOCK, 0);
    let target = &mut out[from..];
    let written = wide(Single {
        text,
        options,
        target,
    });
    out.truncate(from + written);
    out[from..] != *text
}

/// Writes the normal form to `out`, which has two blocks more than the text; returns its length.
#[inline(always)]
fn one(text: &[u8], options: NormalizeOptions, out: &mut [u8]) -> usize {
    if options.controls
        && text
            .iter()
            .fold(false, |any, &byte| any | is_dropped_control(byte))
    {
        return bytewise(text, options, out);
    }
    if options.whitespace {
        match options.case {
            Case::Keep => collapse::<0>(text, out),
            Case::Lower => collapse::<1>(text, out),
            Case::Upper => collapse::<2>(text, out),
        }
    } else {
        let out = &mut out[..text.len()];
        out.copy_from_slice(text);
        match options.case {
            Case::Keep => {}
            Case::Lower => out.make_ascii_lowercase(),
            Case::Upper => out.make_ascii_uppercase(),
        }
        text.len()
    }
}

#[inline(always)]
const fn cased<const CASE: u8>(byte: u8) -> u8 {
    match CASE {
        1 => byte | ((byte.wrapping_sub(b'A') < 26) as u8) << 5,
        2 => byte & !(((byte.wrapping_sub(b'a') < 26) as u8) << 5),
        _ => byte,
    }
}

/// Whitespace collapsed and case mapped, without dropped controls.
#[inline(always)]
fn collapse<const CASE: u8>(text: &[u8], out: &mut [u8]) -> usize {
    let mut written = 0;
    let mut after_space = true; // so that leading whitespace is not kept
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (nth, block) in blocks.iter().enumerate() {
        let next = text.get(nth * BLOCK + 1..(nth + 1) * BLOCK + 1);
        let next: Option<&[u8; BLOCK]> = next.and_then(|next| next.try_into().ok());
        let target = &mut out[written..written + BLOCK];
        if !(after_space && is_space(block[0]))
            && let Some(next) = next
            && regular::<CASE>(block, next, target)
        {
            written += BLOCK;
        } else {
            written += irregular::<CASE>(block, after_space, &mut out[written..]);
        }
        after_space = is_space(block[BLOCK - 1]);
    }
    if !rest.is_empty() {
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        written += irregular::<CASE>(&last, after_space, &mut out[written..]);
    }
    if written > 0 && out[written - 1] == b' ' {
        written -= 1;
    }
    written
}

/// Writes a block that has no two spaces in a row, counting the byte behind it; else returns
/// false. `next` is the block one byte further on.
#[inline(always)]
fn regular<const CASE: u8>(block: &[u8; BLOCK], next: &[u8; BLOCK], target: &mut [u8]) -> bool {
    let mut odd = 0;
    for at in 0..BLOCK {
        odd |= space_flag(block[at]) & space_flag(next[at]);
    }
    if odd != 0 {
        return false;
    }
    // Through an array, so that its length is known: one store of a whole vector.
    let mut mapped = [0; BLOCK];
    for at in 0..BLOCK {
        mapped[at] = spaced::<CASE>(block[at]);
    }
    target[..BLOCK].copy_from_slice(&mapped);
    true
}

/// Writes what is left of a block; returns how much that is. May write a block more.
#[inline(always)]
fn irregular<const CASE: u8>(block: &[u8; BLOCK], after_space: bool, out: &mut [u8]) -> usize {
    let mut written = 0;
    // Twice as long as a block: what is copied from its middle may run over the end.
    let mut mapped = [b' '; 2 * BLOCK];
    let mut spaces = [0_u8; BLOCK];
    for at in 0..BLOCK {
        spaces[at] = space_flag(block[at]);
        mapped[at] = spaced::<CASE>(block[at]);
    }
    let space = bits(&spaces);
    let mut kept = !(space & (space << 1 | u64::from(after_space)));
    while kept != 0 {
        let start = kept.trailing_zeros();
        let run = (kept >> start).trailing_ones();
        let from = start as usize;
        let piece = &mapped[from..from + BLOCK];
        if run <= 16 {
            out[written..written + 16].copy_from_slice(&piece[..16]);
        } else {
            out[written..written + BLOCK].copy_from_slice(piece);
        }
        written += run as usize;
        // Adding the lowest kept bit carries through the run and clears it.
        kept &= kept.wrapping_add(1 << start);
    }
    written
}

#[inline(always)]
const fn spaced<const CASE: u8>(byte: u8) -> u8 {
    let space = space_flag(byte).wrapping_neg();
    (cased::<CASE>(byte) & !space) | (b' ' & space)
}

#[inline(always)]
const fn space_flag(byte: u8) -> u8 {
    ((byte == b' ') | (byte.wrapping_sub(0x09) < 5) | (byte.wrapping_sub(0x1C) < 4)) as u8
}

/// One bit a flag byte (0 or 1): a multiplication gathers those of eight bytes.
#[inline(always)]
fn bits(flags: &[u8; BLOCK]) -> u64 {
    let mut mask = 0;
    for (at, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= gathered << (8 * at);
    }
    mask
}

/// The definition, byte by byte: for the rare text with controls to drop.
fn bytewise(text: &[u8], options: NormalizeOptions, out: &mut [u8]) -> usize {
    let mut written = 0;
    let mut after_space = true;
    for &byte in text {
        if is_dropped_control(byte) {
            continue; // and it does not part two runs of whitespace
        }
        let space = is_space(byte);
        if options.whitespace && space {
            if !after_space {
                out[written] = b' ';
                written += 1;
            }
        } else {
            out[written] = match options.case {
                Case::Keep => byte,
                Case::Lower => byte.to_ascii_lowercase(),
                Case::Upper => byte.to_ascii_uppercase(),
            };
            written += 1;
        }
        after_space = space;
    }
    if options.whitespace && written > 0 && out[written - 1] == b' ' {
        written -= 1;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: NormalizeOptions = NormalizeOptions {
        case: Case::Lower,
        whitespace: true,
        controls: true,
    };

    fn run(text: &str, options: NormalizeOptions) -> (String, bool) {
        let mut out = b"before".to_vec();
        let changed = normalize_ascii(text.as_bytes(), options, &mut out);
        (String::from_utf8(out.split_off(6)).unwrap(), changed)
    }

    /// The definition, without chunks: drop, lower, split, join.
    fn model(text: &str, options: NormalizeOptions) -> String {
        let mut out: String = text
            .chars()
            .filter(|c| !(options.controls && c.is_ascii() && is_dropped_control(*c as u8)))
            .collect();
        match options.case {
            Case::Keep => {}
            Case::Lower => out.make_ascii_lowercase(),
            Case::Upper => out.make_ascii_uppercase(),
        }
        if options.whitespace {
            let words: Vec<&str> = out
                .split(|c: char| is_space(c as u8))
                .filter(|word| !word.is_empty())
                .collect();
            out = words.join(" ");
        }
        out
    }

    #[test]
    fn collapses_lowers_and_drops() {
        assert_eq!(run("  A\t\x1Cb \x07 c ", ALL), ("a b c".into(), true));
        assert_eq!(run("a b", ALL), ("a b".into(), false));
        assert_eq!(run("", ALL), (String::new(), false));
        assert_eq!(run(" \n ", ALL), (String::new(), true));
    }

    #[test]
    fn equals_its_model_around_chunk_borders() {
        let mut seed = 7_u64;
        let alphabet = b"aZ  \t\x1f\x00\x7f.b";
        for length in 0..200 {
            for _ in 0..40 {
                let text: String = (0..length)
                    .map(|_| {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(3);
                        // mostly letters, so that regular chunks occur
                        let pick = usize::try_from((seed >> 33) % 40).unwrap();
                        char::from(*alphabet.get(pick).unwrap_or(&b'Q'))
                    })
                    .collect();
                for bits in 0..12 {
                    let options = NormalizeOptions {
                        case: [Case::Keep, Case::Lower, Case::Upper][bits / 4],
                        whitespace: bits & 1 != 0,
                        controls: bits & 2 != 0,
                    };
                    let expected = model(&text, options);
                    let changed = expected != text;
                    let batch = [Some(text.as_bytes()), None, Some(text.as_bytes())];
                    let mut out = vec![b'x'; 3];
                    let places = normalize_ascii_batch(&batch, options, &mut out);
                    let second = places[2].clone().map(|place| &out[place]);
                    assert_eq!(second, changed.then_some(expected.as_bytes()), "{text:?}");
                    assert_eq!(run(&text, options), (expected, changed), "{text:?}");
                }
            }
        }
    }
}
