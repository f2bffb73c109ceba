//! The rules: where each kind of sensitive text begins and ends.
//!
//! The Python twin has them as regular expressions (`REDACT_PATTERNS`), which say what is
//! meant. Here they are written by hand over the places that one scan found; the twin's
//! differential tests hold the two together. All is ASCII, so that bytes of other characters
//! are borders.

use super::Kind;
use super::checks::{iban_checksum, iban_length, is_ipv6, luhn};
use super::scan::Places;
use super::tokens;

const IPV6_LONGEST: usize = 45; // eight groups of which the last two are an IPv4 address

/// Reports each piece of `kind` in `text`, from left to right, none sharing text.
pub(super) fn find(kind: Kind, text: &[u8], places: &Places, mut report: impl FnMut(usize, usize)) {
    match kind {
        Kind::Token => tokens::find(text, &places.tokens, report),
        Kind::Email => emails(text, &places.ats, report),
        Kind::Ipv6 => ipv6s(text, &places.colons, report),
        Kind::Iban => from_numbers(text, places, &mut report, |text, at, free| {
            let start = at.checked_sub(2).filter(|&start| start >= free)?;
            let head = text[start].is_ascii_uppercase() && text[start + 1].is_ascii_uppercase();
            let end = (head && begins_word(text, start)).then(|| iban_end(text, start))??;
            Some((start, end))
        }),
        Kind::Card => from_numbers(text, places, &mut report, |text, at, _| {
            let head = matches!(text[at], b'2'..=b'6') && begins_word(text, at);
            Some((at, head.then(|| card_end(text, at))??))
        }),
        Kind::Ipv4 => from_numbers(text, places, &mut report, |text, at, _| {
            Some((at, begins_word(text, at).then(|| ipv4_end(text, at))??))
        }),
        Kind::Phone => from_numbers(text, places, &mut report, |text, at, free| {
            let before = at.checked_sub(1).filter(|&before| before >= free);
            let prefixed = before.and_then(|before| match text[before] {
                b'+' => Some((before, international_end(text, at)?)),
                b'(' => Some((before, area_end(text, at)?)),
                _ => None,
            });
            prefixed.or_else(|| {
                let local = || american_end(text, at).or_else(|| national_end(text, at));
                Some((at, begins_word(text, at).then(local)??))
            })
        }),
    }
}

/// Tries each number that begins behind the last match; `free` is where that has ended.
fn from_numbers(
    text: &[u8],
    places: &Places,
    report: &mut impl FnMut(usize, usize),
    rule: impl Fn(&[u8], usize, usize) -> Option<(usize, usize)>,
) {
    let mut free = 0;
    for &at in &places.numbers {
        if at >= free
            && let Some((start, end)) = rule(text, at, free)
        {
            report(start, end);
            free = end;
        }
    }
}

pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn ends_word(text: &[u8], end: usize) -> bool {
    text.get(end).is_none_or(|&next| !is_word(next))
}

/// Whether no word character stands before `start`, where one stands.
pub(super) fn begins_word(text: &[u8], start: usize) -> bool {
    start == 0 || !is_word(text[start - 1])
}

/// How many bytes from `at` on pass `test`, at most `limit`.
pub(super) fn run(text: &[u8], at: usize, limit: usize, test: impl Fn(u8) -> bool) -> usize {
    let end = text.len().min(at.saturating_add(limit));
    text.get(at..end).map_or(0, |rest| {
        rest.iter().take_while(|&&byte| test(byte)).count()
    })
}

fn digits(text: &[u8], at: usize, limit: usize) -> usize {
    run(text, at, limit, |byte| byte.is_ascii_digit())
}

fn is_at(text: &[u8], at: usize, any_of: &[u8]) -> bool {
    text.get(at).is_some_and(|byte| any_of.contains(byte))
}

fn emails(text: &[u8], ats: &[usize], mut report: impl FnMut(usize, usize)) {
    let mut free = 0;
    for &at in ats {
        let Some(end) = domain_end(text, at + 1) else {
            continue;
        };
        let lowest = free.max(at.saturating_sub(64));
        let local = text[lowest..at].iter().rev();
        let length = local
            .take_while(|&&byte| is_word(byte) || matches!(byte, b'.' | b'%' | b'+' | b'-'))
            .count();
        let begins = |&start: &usize| is_word(text[start]) && begins_word(text, start);
        if let Some(start) = (at - length..at).find(begins) {
            report(start, end);
            free = end;
        }
    }
}

/// The end of a host name of two to nine labels, the last of 2 to 24 letters.
fn domain_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut best = None;
    for _ in 0..8 {
        let label = run(text, at, 64, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'-'
        });
        if !(1..=63).contains(&label) || text.get(at + label) != Some(&b'.') {
            break;
        }
        at += label + 1;
        let last = run(text, at, 25, |byte| byte.is_ascii_alphabetic());
        if (2..=24).contains(&last) && ends_word(text, at + last) {
            best = Some(at + last);
        }
    }
    best
}

/// The end of the IBAN that begins at `start`: as many characters as its country asks for,
/// with single spaces between them allowed.
fn iban_end(text: &[u8], start: usize) -> Option<usize> {
    let length = iban_length(&text[start..start + 2])?;
    let two_digits = digits(text, start + 2, 2) == 2; // the expression's third and fourth
    let mut compact = [0_u8; 34];
    let mut at = start;
    for place in compact.iter_mut().take(length) {
        if text.get(at) == Some(&b' ') {
            at += 1;
        }
        *place = *text
            .get(at)
            .filter(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())?;
        at += 1;
    }
    (two_digits && ends_word(text, at) && iban_checksum(&compact[..length])).then_some(at)
}

/// The end of the card number that begins at `start`: the longest of 13 to 19 digits that
/// ends a word and passes the check.
fn card_end(text: &[u8], start: usize) -> Option<usize> {
    let (mut found, mut ends) = ([0_u8; 19], [0_usize; 19]);
    let (mut at, mut count) = (start, 0);
    while count < 19 {
        if count > 0 && is_at(text, at, b" -") {
            at += 1;
        }
        let Some(&digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) else {
            break;
        };
        at += 1;
        (found[count], ends[count]) = (digit, at);
        count += 1;
    }
    (13..=count)
        .rev()
        .find(|&count| ends_word(text, ends[count - 1]) && luhn(&found[..count]))
        .map(|count| ends[count - 1])
}

/// The end of the address whose first number begins at `start`.
fn ipv4_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for octet in 0..4 {
        if octet > 0 {
            if text.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let length = digits(text, at, 4);
        let number = &text[at..at + length];
        let fits = match number {
            [_] | [b'1'..=b'9', _] | [b'1', _, _] | [b'2', b'0'..=b'4', _] => true,
            [b'2', b'5', last] => *last <= b'5',
            _ => false,
        };
        if !fits {
            return None;
        }
        at += length;
    }
    ends_word(text, at).then_some(at)
}

/// `+`, then 7 to 15 digits with up to two separators before each, at `at` the first.
fn international_end(text: &[u8], at: usize) -> Option<usize> {
    if text[at] == b'0' {
        return None;
    }
    let mut end = None;
    let mut at = at + 1;
    for count in 1..=14 {
        let gap = run(text, at, 2, |byte| {
            matches!(byte, b' ' | b'(' | b')' | b'.' | b'-')
        });
        if digits(text, at + gap, 1) == 0 {
            break;
        }
        at += gap + 1;
        if count >= 6 && ends_word(text, at) {
            end = Some(at);
        }
    }
    end
}

/// Three digits, the first above 1, exactly.
fn area(text: &[u8], at: usize) -> bool {
    matches!(text[at], b'2'..=b'9') && digits(text, at, 3) == 3
}

/// Three digits, a separator, four digits, at the end of a word.
fn exchange_end(text: &[u8], at: usize) -> Option<usize> {
    let all = digits(text, at, 3) == 3
        && is_at(text, at + 3, b" .-")
        && digits(text, at + 4, 4) == 4
        && ends_word(text, at + 8);
    all.then_some(at + 8)
}

/// `(212) 555-0123`, at `at` the first digit.
fn area_end(text: &[u8], at: usize) -> Option<usize> {
    if !(area(text, at) && is_at(text, at + 3, b")")) {
        return None;
    }
    exchange_end(text, at + 4 + usize::from(is_at(text, at + 4, b" ")))
}

/// `212-555-0123`.
fn american_end(text: &[u8], at: usize) -> Option<usize> {
    (area(text, at) && is_at(text, at + 3, b" .-")).then(|| exchange_end(text, at + 4))?
}

/// `0171 2345678`: a zero and two to four digits, a separator, the number.
fn national_end(text: &[u8], at: usize) -> Option<usize> {
    let prefix = digits(text, at, 6);
    let begins = text[at] == b'0' && (3..=5).contains(&prefix) && text[at + 1] != b'0';
    if !begins || !is_at(text, at + prefix, b" /-") {
        return None;
    }
    let at = at + prefix + 1;
    let last = |at: usize| {
        let rest = digits(text, at, 6);
        ((2..=5).contains(&rest) && ends_word(text, at + rest)).then_some(at + rest)
    };
    let first = digits(text, at, 4);
    (3..=first).rev().find_map(|taken| {
        let at = at + taken;
        let parted = is_at(text, at, b" -").then(|| last(at + 1)).flatten();
        parted.or_else(|| last(at))
    })
}

/// The addresses among the runs of their characters.
fn ipv6s(text: &[u8], colons: &[usize], mut report: impl FnMut(usize, usize)) {
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    let mut seen = 0;
    for &colon in colons {
        if colon < seen {
            continue;
        }
        let before = text[seen..colon].iter().rev();
        let start = colon - before.take_while(|&&byte| belongs(byte)).count();
        let end = colon + run(text, colon, usize::MAX, belongs);
        seen = end;
        if end - start >= 3
            && let Some(end) = ipv6_end(text, start, end)
        {
            report(start, end);
        }
    }
}

/// The end of the IPv6 address in the run from `start` to `end`, without the punctuation of
/// the sentence around it.
fn ipv6_end(text: &[u8], start: usize, end: usize) -> Option<usize> {
    if !begins_word(text, start) || !ends_word(text, end) {
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
