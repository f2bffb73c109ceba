//! The checksums and the address grammar behind the rules.

/// Lengths of an IBAN by country (ISO 13616 registry), sorted by country.
const IBAN_LENGTHS: [(&[u8; 2], usize); 78] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// The length that an IBAN of this country must have.
pub(super) fn iban_length(country: &[u8]) -> Option<usize> {
    IBAN_LENGTHS
        .iter()
        .find(|(code, _)| code.as_slice() == country)
        .map(|&(_, length)| length)
}

/// Whether the checksum of an IBAN is right: mod 97 of the rearranged digits is 1 (ISO 7064).
pub(super) fn iban_checksum(compact: &[u8]) -> bool {
    let (head, tail) = compact.split_at(4);
    let mut rest = 0_u32;
    for &byte in tail.iter().chain(head) {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            _ => u32::from(byte - b'A') + 10,
        };
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    rest == 1
}

/// Whether the digits pass Luhn's check (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => digit * 2,
                _ => digit * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether `text` is an IPv6 address (RFC 4291, section 2.2), without a zone.
pub(super) fn is_ipv6(text: &[u8]) -> bool {
    let Some(gap) = find_gap(text) else {
        return groups(text, true) == Some(8);
    };
    let (left, right) = (&text[..gap], &text[gap + 2..]);
    match (groups(left, false), groups(right, true)) {
        (Some(before), Some(after)) => before + after <= 7,
        _ => false,
    }
}

fn find_gap(text: &[u8]) -> Option<usize> {
    text.windows(2).position(|pair| pair == b"::")
}

/// How many 16-bit groups `text` spells; an IPv4 address at the end counts two.
fn groups(text: &[u8], ipv4_tail: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let parts: Vec<&[u8]> = text.split(|&byte| byte == b':').collect();
    let mut count = 0;
    for (at, part) in parts.iter().enumerate() {
        let hex = (1..=4).contains(&part.len()) && part.iter().all(u8::is_ascii_hexdigit);
        if hex {
            count += 1;
        } else if ipv4_tail && at + 1 == parts.len() && is_ipv4(part) {
            count += 2;
        } else {
            return None;
        }
    }
    Some(count)
}

/// Whether `text` is four numbers to 255 without leading zeros.
fn is_ipv4(text: &[u8]) -> bool {
    let parts: Vec<&[u8]> = text.split(|&byte| byte == b'.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            let digits = (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
            let leading_zero = part.len() > 1 && part[0] == b'0';
            let value = || {
                part.iter()
                    .fold(0_u32, |sum, byte| sum * 10 + u32::from(byte - b'0'))
            };
            digits && !leading_zero && value() <= 255
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_grammar_equals_the_standard_library() {
        for text in [
            "::",
            "::1",
            "1::",
            "fe80::1",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7",
            "1::2::3",
            ":::",
            "1:2:3:4:5:6:7:8:9",
            "12345::",
            "::1.2.3",
            "::01.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            ":1::2",
            "::2:",
            "1.2.3.4::",
            "g::1",
            "::1.2.3.40884877777777777777778",
        ] {
            let expected = text.parse::<std::net::Ipv6Addr>().is_ok();
            assert_eq!(is_ipv6(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn checksums() {
        assert!(luhn(b"4111111111111111") && !luhn(b"4111111111111112"));
        assert!(iban_checksum(b"GB82WEST12345698765432"));
        assert!(!iban_checksum(b"GB82WEST12345698765431"));
        assert_eq!(iban_length(b"DE"), Some(22));
        assert_eq!(iban_length(b"ZZ"), None);
    }
}
