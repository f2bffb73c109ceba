//! The rules: where each kind of sensitive text begins and ends.
//!
//! The regular expressions are, character for character, those of the Python twin; a test
//! there compares them. They use ASCII classes only and no look-around but `\b`, whose
//! meaning is the same on both sides. Counted repetitions bound the work of a backtracking
//! engine, not of this one.

use super::Kind;
use super::checks::{iban_checksum, iban_length, is_ipv6, luhn};
use regex::bytes::{Regex, RegexBuilder};
use std::sync::LazyLock;

/// The expressions, in the order of [`Kind::ALL`]; IPv6 is a run of its characters.
pub const PATTERNS: [&str; 7] = [
    concat!(
        r"\b(?:sk-[A-Za-z0-9_-]{16,256}|[spr]k_(?:live|test)_[A-Za-z0-9]{16,256}",
        r"|gh[opsur]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}",
        r"|glpat-[A-Za-z0-9_-]{20,255}|xox[abeoprs]-[A-Za-z0-9-]{10,255}",
        r"|A(?:KIA|SIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{30,255}",
        r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,255}",
        r"|eyJ[A-Za-z0-9_-]{8,1024}\.eyJ[A-Za-z0-9_-]{8,1024}\.[A-Za-z0-9_-]{8,1024})",
        r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/= \t\r\n]+",
        r"-----END [A-Z ]{0,30}PRIVATE KEY-----",
    ),
    r"\b[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    r"\b[A-Z]{2}[0-9]{2} ?[A-Z0-9]",
    r"\b[2-6](?:[ -]?[0-9]){12,18}",
    r"[0-9A-Fa-f:.]{3,}",
    concat!(
        r"\b(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}",
        r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\b",
    ),
    concat!(
        r"(?:\+[1-9](?:[ ().-]{0,2}[0-9]){6,14}|\b[2-9][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{4}",
        r"|\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}",
        r"|\b0[1-9][0-9]{1,3}[ /-][0-9]{3,4}[ -]?[0-9]{2,5})\b",
    ),
];

const IPV6_LONGEST: usize = 45; // eight groups of which the last two are an IPv4 address

static COMPILED: LazyLock<[Regex; 7]> = LazyLock::new(|| {
    PATTERNS.map(|pattern| {
        RegexBuilder::new(pattern)
            .unicode(false)
            .build()
            .expect("a constant pattern, compiled by the tests")
    })
});

/// What a text has at all: most rules can be ruled out by counting bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    digits: usize,
    dots: usize,
    colons: usize,
    ats: usize,
}

impl Traits {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut traits = Self {
            digits: 0,
            dots: 0,
            colons: 0,
            ats: 0,
        };
        // Blocks with byte counters let the compiler count many bytes at once.
        for block in text.chunks(255) {
            let [mut digits, mut dots, mut colons, mut ats] = [0_u8; 4];
            for &byte in block {
                digits += u8::from(byte.is_ascii_digit());
                dots += u8::from(byte == b'.');
                colons += u8::from(byte == b':');
                ats += u8::from(byte == b'@');
            }
            traits.digits += usize::from(digits);
            traits.dots += usize::from(dots);
            traits.colons += usize::from(colons);
            traits.ats += usize::from(ats);
        }
        traits
    }

    /// Whether a text with these traits can hold `kind`.
    pub(super) fn allow(self, kind: Kind) -> bool {
        match kind {
            Kind::Token => true,
            Kind::Email => self.ats > 0 && self.dots > 0,
            Kind::Iban => self.digits >= 2,
            Kind::Card => self.digits >= 13,
            Kind::Ipv6 => self.colons >= 2 && self.digits >= 1,
            Kind::Ipv4 => self.digits >= 4 && self.dots >= 3,
            Kind::Phone => self.digits >= 7,
        }
    }
}

/// Reports each piece of `kind` in `text`, from left to right, none sharing text.
pub(super) fn find(kind: Kind, text: &[u8], mut report: impl FnMut(usize, usize)) {
    let pattern = &COMPILED[kind as usize];
    match kind {
        Kind::Token | Kind::Email | Kind::Ipv4 | Kind::Phone => {
            for found in pattern.find_iter(text) {
                report(found.start(), found.end());
            }
        }
        Kind::Iban => verified(pattern, text, iban_end, report),
        Kind::Card => verified(pattern, text, card_end, report),
        Kind::Ipv6 => {
            for found in pattern.find_iter(text) {
                if let Some(end) = ipv6_end(text, found.start(), found.end()) {
                    report(found.start(), end);
                }
            }
        }
    }
}

/// Candidates that `verify` gives an end to; after a bad one, the search goes on at its
/// second byte.
fn verified(
    pattern: &Regex,
    text: &[u8],
    verify: fn(&[u8], usize) -> Option<usize>,
    mut report: impl FnMut(usize, usize),
) {
    let mut from = 0;
    while let Some(found) = pattern.find_at(text, from) {
        from = found.start() + 1;
        if let Some(end) = verify(text, found.start()) {
            report(found.start(), end);
            from = end;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn ends_word(text: &[u8], end: usize) -> bool {
    text.get(end).is_none_or(|&next| !is_word(next))
}

/// The end of the IBAN that begins at `start`: as many characters as its country asks for,
/// with single spaces between them allowed.
fn iban_end(text: &[u8], start: usize) -> Option<usize> {
    let length = iban_length(&text[start..start + 2])?;
    let mut compact = Vec::with_capacity(length);
    let mut at = start;
    while compact.len() < length {
        if text.get(at) == Some(&b' ') {
            at += 1;
        }
        let byte = *text.get(at)?;
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return None;
        }
        compact.push(byte);
        at += 1;
    }
    (ends_word(text, at) && iban_checksum(&compact)).then_some(at)
}

/// The end of the card number that begins at `start`: the longest of 13 to 19 digits that
/// ends a word and passes the check.
fn card_end(text: &[u8], start: usize) -> Option<usize> {
    let mut digits = Vec::with_capacity(19);
    let mut ends = Vec::with_capacity(19);
    let mut at = start;
    while digits.len() < 19 {
        if !digits.is_empty() && matches!(text.get(at), Some(b' ' | b'-')) {
            at += 1;
        }
        let Some(&digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) else {
            break;
        };
        at += 1;
        digits.push(digit);
        ends.push(at);
    }
    (13..=digits.len())
        .rev()
        .find(|&count| ends_word(text, ends[count - 1]) && luhn(&digits[..count]))
        .map(|count| ends[count - 1])
}

/// The end of the IPv6 address in the run from `start` to `end`, without the punctuation of
/// the sentence around it.
fn ipv6_end(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let before = start.checked_sub(1).map(|at| text[at]);
    if before.is_some_and(is_word) || !ends_word(text, end) {
        return None;
    }
    let mut run = &text[start..end];
    while let [rest @ .., b'.'] = run {
        run = rest;
    }
    if let [rest @ .., last, b':'] = run
        && *last != b':'
    {
        run = &run[..=rest.len()];
    }
    let plausible = run.len() <= IPV6_LONGEST && run.iter().any(u8::is_ascii_digit);
    (plausible && is_ipv6(run)).then_some(start + run.len())
}
