//! Words, tokens and sentences by fixed tables, the same under every Unicode version.
//!
//! The tables are written out here and, range for range, in the Python twin; a test compares
//! them over all code points. So nothing here depends on the tables of Rust or of a Python.

use std::ops::Range;

/// Code points beyond ASCII that are no word characters: first and last of each range.
pub const NON_WORD: [(u32, u32); 24] = [
    (0x80, 0xA9),
    (0xAB, 0xB4),
    (0xB6, 0xB9),
    (0xBB, 0xBF),
    (0xD7, 0xD7),
    (0xF7, 0xF7),
    (0x1680, 0x1680),
    (0x2000, 0x206F),
    (0x20A0, 0x20CF),
    (0x2190, 0x2BFF),
    (0x2E00, 0x2E7F),
    (0x3000, 0x3004),
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0x303D, 0x303F),
    (0xFE10, 0xFE1F),
    (0xFE30, 0xFE6F),
    (0xFEFF, 0xFEFF),
    (0xFF00, 0xFF0F),
    (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF3E),
    (0xFF40, 0xFF40),
    (0xFF5B, 0xFF65),
    (0xFFE0, 0xFFFF),
];

/// What kind of character a code point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word: ASCII letters, digits, `_`, and all beyond ASCII but [`NON_WORD`].
    Word,
    /// Whitespace as Python's `str.split` sees it.
    Space,
    /// Anything else.
    Other,
}

/// The class of a code point.
pub(super) fn class_of(point: u32) -> Class {
    match point {
        0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A | 0x5F => Class::Word,
        0x20
        | 0x09..=0x0D
        | 0x1C..=0x1F
        | 0x85
        | 0xA0
        | 0x1680
        | 0x2000..=0x200A
        | 0x2028
        | 0x2029
        | 0x202F
        | 0x205F
        | 0x3000 => Class::Space,
        0..0x80 => Class::Other,
        _ => {
            let at = NON_WORD.partition_point(|&(_, last)| last < point);
            match NON_WORD.get(at) {
                Some(&(first, _)) if first <= point => Class::Other,
                _ => Class::Word,
            }
        }
    }
}

static ASCII: [Class; 128] = {
    let mut table = [Class::Other; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::Word,
            b' ' | 0x09..=0x0D | 0x1C..=0x1F => Class::Space,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};

/// The code point at a byte offset, and how many bytes it takes. Surrogates count as others.
#[inline]
pub(super) fn point_at(text: &[u8], at: usize) -> (u32, usize) {
    let low = |offset: usize| u32::from(text.get(at + offset).copied().unwrap_or(0) & 0x3F);
    match text[at] {
        byte @ 0..0x80 => (u32::from(byte), 1),
        byte @ 0x80..0xE0 => ((u32::from(byte) & 0x1F) << 6 | low(1), 2),
        byte @ 0xE0..0xF0 => ((u32::from(byte) & 0x0F) << 12 | low(1) << 6 | low(2), 3),
        byte => {
            let high = (u32::from(byte) & 0x07) << 18;
            (high | low(1) << 12 | low(2) << 6 | low(3), 4)
        }
    }
}

#[inline]
fn class_at(text: &[u8], at: usize) -> (Class, usize) {
    if let Some(&class) = ASCII.get(usize::from(text[at])) {
        return (class, 1);
    }
    let (point, size) = point_at(text, at);
    (class_of(point), size)
}

/// Reports the byte range of each word: a maximal run of word characters.
pub fn words(text: &[u8], mut report: impl FnMut(Range<usize>)) {
    let mut at = 0;
    let mut start = None;
    while at < text.len() {
        let (class, size) = class_at(text, at);
        if class == Class::Word {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            report(start..at);
        }
        at += size;
    }
    if let Some(start) = start {
        report(start..text.len());
    }
}

/// Reports the byte range of each token: a word, or one other character that is no space.
pub fn tokens(text: &[u8], mut report: impl FnMut(Range<usize>)) {
    let mut at = 0;
    let mut start = None;
    while at < text.len() {
        let (class, size) = class_at(text, at);
        if class == Class::Word {
            start.get_or_insert(at);
        } else {
            if let Some(start) = start.take() {
                report(start..at);
            }
            if class == Class::Other {
                report(at..at + size);
            }
        }
        at += size;
    }
    if let Some(start) = start {
        report(start..text.len());
    }
}

/// Reports the byte range of each piece between whitespace.
pub fn fields(text: &[u8], mut report: impl FnMut(Range<usize>)) {
    let mut at = 0;
    let mut start = None;
    while at < text.len() {
        let (class, size) = class_at(text, at);
        if class != Class::Space {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            report(start..at);
        }
        at += size;
    }
    if let Some(start) = start {
        report(start..text.len());
    }
}

const fn is_terminator(point: u32) -> bool {
    matches!(point, 0x21 | 0x2E | 0x3F | 0x2026)
}

const fn is_wide_terminator(point: u32) -> bool {
    matches!(point, 0x3002 | 0xFF01 | 0xFF1F)
}

const fn is_closer(point: u32) -> bool {
    matches!(
        point,
        0x22 | 0x27 | 0x29 | 0x5D | 0xBB | 0x2019 | 0x201D | 0x300D | 0x300F
    )
}

/// Goes on from `at` while `test` holds; returns where it stops to.
fn skip(text: &[u8], mut at: usize, test: impl Fn(u32) -> bool) -> usize {
    while at < text.len() {
        let (point, size) = point_at(text, at);
        if !test(point) {
            break;
        }
        at += size;
    }
    at
}

/// Where the sentence ends whose end may begin at `at`, if it does; else where to look on.
fn boundary(text: &[u8], at: usize, point: u32, size: usize) -> Result<usize, usize> {
    if point == 0x0A {
        let next = skip(text, at + 1, |point| matches!(point, 0x20 | 0x09 | 0x0D));
        return match text.get(next) {
            Some(b'\n') => Ok(next + 1),
            _ => Err(at + 1),
        };
    }
    if is_terminator(point) {
        let run = skip(text, at, is_terminator);
        let end = skip(text, run, is_closer);
        let ended = end < text.len() && class_at(text, end).0 == Class::Space;
        return if ended { Ok(end) } else { Err(run) };
    }
    if is_wide_terminator(point) {
        let run = skip(text, at, is_wide_terminator);
        return Ok(skip(text, run, is_closer));
    }
    Err(at + size)
}

/// Reports the byte range of each sentence, without the whitespace around it.
pub fn sentences(text: &[u8], mut report: impl FnMut(Range<usize>)) {
    let mut trimmed = |range: Range<usize>| {
        let start = skip(&text[..range.end], range.start, |point| {
            class_of(point) == Class::Space
        });
        let mut end = range.end;
        while end > start {
            let mut before = end - 1;
            while before > start && text[before] & 0xC0 == 0x80 {
                before -= 1;
            }
            if class_at(text, before).0 != Class::Space {
                break;
            }
            end = before;
        }
        if start < end {
            report(start..end);
        }
    };
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let (point, size) = point_at(text, at);
        match boundary(text, at, point, size) {
            Ok(end) => {
                trimmed(from..end);
                (from, at) = (end, end);
            }
            Err(next) => at = next,
        }
    }
    trimmed(from..text.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(find: impl Fn(&[u8], &mut dyn FnMut(Range<usize>)), text: &str) -> Vec<String> {
        let mut found = Vec::new();
        find(text.as_bytes(), &mut |range| {
            found.push(text[range].to_owned());
        });
        found
    }

    #[test]
    fn parts_of_a_text() {
        let text = "Grüße, it's 5€!\u{3000}你好。";
        let all = |text: &[u8], report: &mut dyn FnMut(Range<usize>)| words(text, report);
        assert_eq!(collect(all, text), ["Grüße", "it", "s", "5", "你好"]);
        let all = |text: &[u8], report: &mut dyn FnMut(Range<usize>)| tokens(text, report);
        assert_eq!(
            collect(all, text),
            ["Grüße", ",", "it", "'", "s", "5", "€", "!", "你好", "。"]
        );
        let all = |text: &[u8], report: &mut dyn FnMut(Range<usize>)| fields(text, report);
        assert_eq!(collect(all, text), ["Grüße,", "it's", "5€!", "你好。"]);
    }

    #[test]
    fn sentences_end_where_they_end() {
        let all = |text: &[u8], report: &mut dyn FnMut(Range<usize>)| sentences(text, report);
        assert_eq!(
            collect(all, "One 1.5. \"Two!\"  Three?! four\n \nfive 你好。六"),
            [
                "One 1.5.",
                "\"Two!\"",
                "Three?!",
                "four",
                "five 你好。",
                "六"
            ]
        );
        assert_eq!(collect(all, " \n\n . "), ["."]);
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(NON_WORD.is_sorted() && NON_WORD.iter().all(|(first, last)| first <= last));
    }
}
