//! Find and replace sensitive text: tokens, e-mail, IBAN, card, IPv6, IPv4 and phone numbers.
//!
//! Each kind searches the whole text by itself; where matches of two kinds share text, the
//! kind that comes first in [`Kind::ALL`] keeps it. All rules are ASCII: a character outside
//! of ASCII is never part of a match and always a border, so bytes and code points agree
//! with the Python twin.

mod checks;
mod rules;
mod scan;
mod tokens;

use super::hashes::hex_string;
use crate::Error;
use hmac::{Hmac, Mac};
use scan::Places;
use sha2::Sha256;
use std::str::FromStr;

/// A kind of sensitive text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Keys and tokens of known services, JSON web tokens, private keys in PEM.
    Token,
    /// An e-mail address.
    Email,
    /// An international bank account number with a right length and checksum (ISO 13616).
    Iban,
    /// A payment card number of 13 to 19 digits with a right checksum (ISO/IEC 7812).
    Card,
    /// An IPv6 address (RFC 4291) with a digit in it.
    Ipv6,
    /// An IPv4 address in dotted decimal.
    Ipv4,
    /// A phone number: international with `+`, North American, or national with a leading 0.
    Phone,
}

impl Kind {
    /// All kinds, in the order in which they claim text.
    pub const ALL: [Self; 7] = [
        Self::Token,
        Self::Email,
        Self::Iban,
        Self::Card,
        Self::Ipv6,
        Self::Ipv4,
        Self::Phone,
    ];

    /// The name that callers use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Card => "card",
            Self::Ipv6 => "ipv6",
            Self::Ipv4 => "ipv4",
            Self::Phone => "phone",
        }
    }

    /// What stands in the text instead.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Token => "[TOKEN]",
            Self::Email => "[EMAIL]",
            Self::Iban => "[IBAN]",
            Self::Card => "[CARD]",
            Self::Ipv6 => "[IPV6]",
            Self::Ipv4 => "[IPV4]",
            Self::Phone => "[PHONE]",
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::RedactKind {
                got: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// A piece of sensitive text; offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub kind: Kind,
    /// Where it begins.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
}

/// Replaces the chosen kinds.
#[derive(Debug, Clone)]
pub struct Redactor {
    kinds: Vec<Kind>,
}

impl Redactor {
    /// A redactor of `kinds`; their order and repetitions do not matter.
    pub fn new(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut kinds: Vec<Kind> = kinds.into_iter().collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self { kinds }
    }

    /// The sensitive pieces of `text`, from left to right, none sharing text.
    pub fn spans(&self, text: &[u8]) -> Vec<Span> {
        let mut scratch = Scratch::default();
        self.find(text, &mut scratch);
        scratch.claimed
    }

    fn find(&self, text: &[u8], scratch: &mut Scratch) {
        let Scratch {
            places,
            claimed,
            found,
        } = scratch;
        claimed.clear();
        places.scan(text);
        for &kind in &self.kinds {
            found.clear();
            rules::find(kind, text, places, |start, end| {
                // Spans of one kind never share text; only the earlier kinds' count.
                let next = claimed.partition_point(|span| span.end <= start);
                if claimed.get(next).is_none_or(|span| span.start >= end) {
                    found.push(Span { kind, start, end });
                }
            });
            if !found.is_empty() {
                claimed.append(found);
                claimed.sort_unstable_by_key(|span| span.start);
            }
        }
    }

    /// Appends `text` with labels for its sensitive pieces to `out`; without any, appends
    /// nothing and returns false.
    pub fn redact(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        self.redact_with(text, &mut Scratch::default(), out)
    }

    /// As [`Redactor::redact`], with room of the caller's to work in.
    pub fn redact_with(&self, text: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) -> bool {
        self.find(text, scratch);
        let mut from = 0;
        for span in &scratch.claimed {
            out.extend_from_slice(&text[from..span.start]);
            out.extend_from_slice(span.kind.label().as_bytes());
            from = span.end;
        }
        if !scratch.claimed.is_empty() {
            out.extend_from_slice(&text[from..]);
        }
        !scratch.claimed.is_empty()
    }

    /// As [`Redactor::redact`], but with a token for each piece that only who has `key` can
    /// make; reports each token with what it stands for.
    pub fn pseudonymize(
        &self,
        text: &[u8],
        key: &[u8],
        out: &mut Vec<u8>,
        mut report: impl FnMut(String, &[u8]),
    ) -> bool {
        let spans = self.spans(text);
        let mut from = 0;
        for span in &spans {
            let piece = &text[span.start..span.end];
            let token = pseudonym(span.kind, piece, key);
            out.extend_from_slice(&text[from..span.start]);
            out.extend_from_slice(token.as_bytes());
            report(token, piece);
            from = span.end;
        }
        if !spans.is_empty() {
            out.extend_from_slice(&text[from..]);
        }
        !spans.is_empty()
    }
}

/// Room for the work on one text after another.
#[derive(Debug, Default)]
pub struct Scratch {
    places: Places,
    claimed: Vec<Span>,
    found: Vec<Span>,
}

/// `[EMAIL:…]` with the first 12 bytes of HMAC-SHA-256 over the kind, a zero and the text.
fn pseudonym(kind: Kind, piece: &[u8], key: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("any length is a key");
    mac.update(kind.name().as_bytes());
    mac.update(&[0]);
    mac.update(piece);
    let digest = mac.finalize().into_bytes();
    let label = kind.label();
    format!(
        "{}:{}]",
        &label[..label.len() - 1],
        hex_string(&digest[..12])
    )
}

/// Appends `text` with the tokens that `known` knows replaced to `out`; without any, appends
/// nothing and returns false.
pub fn restore<'a>(
    text: &[u8],
    mut known: impl FnMut(&str) -> Option<&'a [u8]>,
    out: &mut Vec<u8>,
) -> bool {
    let (mut from, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'[', &text[at..]) {
        let start = at + found;
        at = start + 1;
        let rest = &text[start + 1..];
        let end = Kind::ALL.into_iter().find_map(|kind| {
            let name = &kind.label().as_bytes()[1..kind.label().len() - 1];
            let digits = rest.strip_prefix(name)?.strip_prefix(b":")?;
            let whole = digits.len() > 24
                && digits[24] == b']'
                && digits[..24]
                    .iter()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            whole.then_some(start + name.len() + 27)
        });
        let token = end.and_then(|end| std::str::from_utf8(&text[start..end]).ok());
        if let Some(piece) = token.and_then(&mut known) {
            out.extend_from_slice(&text[from..start]);
            out.extend_from_slice(piece);
            from = start + token.map_or(0, str::len);
            at = from;
        }
    }
    if from > 0 {
        out.extend_from_slice(&text[from..]);
    }
    from > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        let mut out = Vec::new();
        if Redactor::new(Kind::ALL).redact(text.as_bytes(), &mut out) {
            String::from_utf8(out).unwrap()
        } else {
            text.to_owned()
        }
    }

    #[test]
    fn each_kind_is_replaced() {
        for (text, expected) in [
            ("mail jane.doe+x@example.co.uk now", "mail [EMAIL] now"),
            (
                "pay DE89 3704 0044 0532 0130 00 please",
                "pay [IBAN] please",
            ),
            ("card 4111-1111-1111-1111 12/30", "card [CARD] 12/30"),
            (
                "from 10.0.0.1 to fe80::1, done",
                "from [IPV4] to [IPV6], done",
            ),
            (
                "call +49 30 1234567 or 212-555-0123",
                "call [PHONE] or [PHONE]",
            ),
            ("key sk-abcdefghijklmnop1234.", "key [TOKEN]."),
            ("éx@y.deé", "é[EMAIL]é"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for text in [
            "card 4111 1111 1111 1112",              // checksum
            "GB82 WEST 1234 5698 7654 31",           // checksum
            "std::vector and abc::def and 10:20:30", // scopes and a time
            "version 1.2.3, 999.1.1.1, 2026-11-23",
            "a@b, @example.com",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn kinds_are_chosen_and_misspelled_ones_refused() {
        let mut out = Vec::new();
        let only = Redactor::new([Kind::Ipv4]);
        assert!(only.redact(b"a@b.de 1.2.3.4", &mut out));
        assert_eq!(out, b"a@b.de [IPV4]");
        assert!("mail".parse::<Kind>().is_err());
    }
    #[test]
    fn pseudonyms_can_be_undone_with_the_mapping() {
        let redactor = Redactor::new(Kind::ALL);
        let text = b"a@b.de and 10.0.0.1 and a@b.de [EMAIL:x]";
        let mut known = std::collections::HashMap::new();
        let mut out = Vec::new();
        assert!(
            redactor.pseudonymize(text, b"key", &mut out, |token, piece| {
                known.insert(token, piece.to_vec());
            })
        );
        assert_eq!(known.len(), 2);
        assert!(out.starts_with(b"[EMAIL:"));
        let mut back = Vec::new();
        assert!(restore(
            &out,
            |token| known.get(token).map(Vec::as_slice),
            &mut back
        ));
        assert_eq!(back, text);
        assert!(!restore(&out, |_| None, &mut back));
    }
}
