//! Find and replace sensitive text: tokens, e-mail, IBAN, card, IPv6, IPv4 and phone numbers.
//!
//! Each kind searches the whole text by itself; where matches of two kinds share text, the
//! kind that comes first in [`Kind::ALL`] keeps it. All rules are ASCII: a character outside
//! of ASCII is never part of a match and always a border, so bytes and code points agree
//! with the Python twin.

mod checks;
mod rules;

pub use rules::PATTERNS;

use crate::Error;
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
        let traits = rules::Traits::of(text);
        let mut claimed: Vec<Span> = Vec::new();
        for &kind in self.kinds.iter().filter(|&&kind| traits.allow(kind)) {
            let earlier = claimed.len();
            rules::find(kind, text, |start, end| {
                // Spans of one kind never share text; only the earlier kinds' count.
                let rival = claimed[..earlier]
                    .iter()
                    .any(|span| span.start < end && start < span.end);
                if !rival {
                    claimed.push(Span { kind, start, end });
                }
            });
            claimed.sort_unstable_by_key(|span| span.start);
        }
        claimed
    }

    /// Appends `text` with labels for its sensitive pieces to `out`; without any, appends
    /// nothing and returns false.
    pub fn redact(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let spans = self.spans(text);
        let mut from = 0;
        for span in &spans {
            out.extend_from_slice(&text[from..span.start]);
            out.extend_from_slice(span.kind.label().as_bytes());
            from = span.end;
        }
        if !spans.is_empty() {
            out.extend_from_slice(&text[from..]);
        }
        !spans.is_empty()
    }
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
}
