//! Digests of texts, and the fast hash that shingles are made with.

use blake2::digest::consts::{U8, U32};
use blake2::{Blake2b, Digest};
use sha2::Sha256;
use std::fmt::Write;

/// How a text is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// `BLAKE2b` with 32 bytes (RFC 7693).
    Blake2b,
    /// `BLAKE2b` with 8 bytes.
    Blake2b8,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// [`fast64`]; not against people who choose the texts.
    Fast64,
}

impl HashKind {
    /// The kind of this name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "blake2b" => Some(Self::Blake2b),
            "blake2b-8" => Some(Self::Blake2b8),
            "sha256" => Some(Self::Sha256),
            "fast64" => Some(Self::Fast64),
            _ => None,
        }
    }

    /// Appends the hash of `text` in hexadecimal to `out`.
    pub fn hex(self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Blake2b => hex(&Blake2b::<U32>::digest(text), out),
            Self::Blake2b8 => hex(&Blake2b::<U8>::digest(text), out),
            Self::Sha256 => hex(&Sha256::digest(text), out),
            Self::Fast64 => hex(&fast64(text).to_be_bytes(), out),
        }
    }
}

/// Appends bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex_string(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// One step: takes eight bytes in.
#[inline]
pub(super) const fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(MULTIPLIER);
    product ^ (product >> 32)
}

/// A 64-bit hash that a few lines define: begin with the length; take in each eight bytes,
/// little-endian, the last filled up with zeros; then once a zero.
#[inline]
pub fn fast64(text: &[u8]) -> u64 {
    let mut hash = mix(0, text.len() as u64);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = 0;
        for &byte in rest.iter().rev() {
            word = word << 8 | u64::from(byte);
        }
        hash = mix(hash, word);
    }
    mix(hash, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let of = |kind: HashKind| {
            let mut out = Vec::new();
            kind.hex(b"abc", &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            of(HashKind::Sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(of(HashKind::Blake2b8), "d8bb14d833d59559");
        assert_eq!(
            hex_string(&fast64(b"abc").to_be_bytes()),
            of(HashKind::Fast64)
        );
        assert_ne!(fast64(b"a"), fast64(b"a\0"));
        assert_eq!(HashKind::of("md5"), None);
    }
}
