//! Keys and tokens of known services, JSON web tokens, private keys in PEM.

use super::rules::{begins_word, is_word, run};

const fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

const fn hyphenated(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

const fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// A token: its beginning, the place in it of the byte that the scan notes, the characters
/// after it, at least and at most how many.
struct Form {
    prefix: &'static [u8],
    known_by: usize,
    class: fn(u8) -> bool,
    least: usize,
    most: usize,
}

const fn form(
    prefix: &'static str,
    known_by: usize,
    class: fn(u8) -> bool,
    least: usize,
    most: usize,
) -> Form {
    Form {
        prefix: prefix.as_bytes(),
        known_by,
        class,
        least,
        most,
    }
}

static HYPHEN: [Form; 10] = [
    form("sk-", 2, base64url, 16, 256),
    form("glpat-", 5, base64url, 20, 255),
    form("pypi-", 4, base64url, 50, 255),
    form("xoxa-", 4, hyphenated, 10, 255),
    form("xoxb-", 4, hyphenated, 10, 255),
    form("xoxe-", 4, hyphenated, 10, 255),
    form("xoxo-", 4, hyphenated, 10, 255),
    form("xoxp-", 4, hyphenated, 10, 255),
    form("xoxr-", 4, hyphenated, 10, 255),
    form("xoxs-", 4, hyphenated, 10, 255),
];

static UNDERSCORE: [Form; 14] = [
    form("sk_live_", 2, alphanumeric, 16, 256),
    form("sk_test_", 2, alphanumeric, 16, 256),
    form("pk_live_", 2, alphanumeric, 16, 256),
    form("pk_test_", 2, alphanumeric, 16, 256),
    form("rk_live_", 2, alphanumeric, 16, 256),
    form("rk_test_", 2, alphanumeric, 16, 256),
    form("gho_", 3, alphanumeric, 36, 255),
    form("ghp_", 3, alphanumeric, 36, 255),
    form("ghs_", 3, alphanumeric, 36, 255),
    form("ghu_", 3, alphanumeric, 36, 255),
    form("ghr_", 3, alphanumeric, 36, 255),
    form("github_pat_", 6, is_word, 22, 255),
    form("hf_", 2, alphanumeric, 30, 255),
    form("npm_", 3, alphanumeric, 36, 36),
];

static CAPITAL: [Form; 3] = [
    form("AKIA", 0, capital, 16, 16),
    form("ASIA", 0, capital, 16, 16),
    form("AIza", 0, base64url, 35, 35),
];

/// Reports each token; `places` are those of the bytes that tell one.
pub(super) fn find(text: &[u8], places: &[usize], mut report: impl FnMut(usize, usize)) {
    let mut free = 0;
    for &at in places {
        if at < free {
            continue;
        }
        let forms = match text[at] {
            b'-' => {
                if let Some(end) = pem_end(text, at) {
                    report(at, end);
                    free = end;
                    continue;
                }
                &HYPHEN[..]
            }
            b'_' => &UNDERSCORE[..],
            b'A' => &CAPITAL[..],
            _ => {
                let start = at.checked_sub(1).filter(|&start| start >= free);
                let found = start.filter(|&start| text[start] == b'e' && begins_word(text, start));
                if let Some((start, end)) = found.and_then(|at| Some((at, web_end(text, at)?))) {
                    report(start, end);
                    free = end;
                }
                continue;
            }
        };
        let found = forms.iter().find_map(|form| {
            let start = at
                .checked_sub(form.known_by)
                .filter(|&start| start >= free)?;
            if !(text[start..].starts_with(form.prefix) && begins_word(text, start)) {
                return None;
            }
            let from = start + form.prefix.len();
            let length = run(text, from, form.most, form.class);
            (length >= form.least).then_some((start, from + length))
        });
        if let Some((start, end)) = found {
            report(start, end);
            free = end;
        }
    }
}

/// The end of the JSON web token that begins at `start`: three parts, two of them objects.
fn web_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for _ in 0..2 {
        if !text.get(at..)?.starts_with(b"eyJ") {
            return None;
        }
        let length = run(text, at + 3, 1025, base64url);
        at += 3 + length;
        if !(8..=1024).contains(&length) || text.get(at) != Some(&b'.') {
            return None;
        }
        at += 1;
    }
    let length = run(text, at, 1024, base64url);
    (length >= 8).then_some(at + length)
}

/// The end of the line that `word` and the kind of a private key make, if there is one.
fn pem_line(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    if !text.get(at..)?.starts_with(word) {
        return None;
    }
    let from = at + word.len();
    let length = run(text, from, 42, |byte| {
        byte.is_ascii_uppercase() || byte == b' '
    });
    let kind = text[from..from + length].strip_suffix(b"PRIVATE KEY")?;
    let end = from + length;
    (kind.len() <= 30 && text[end..].starts_with(b"-----")).then_some(end + 5)
}

fn pem_end(text: &[u8], at: usize) -> Option<usize> {
    let body = pem_line(text, at, b"-----BEGIN ")?;
    let length = run(text, body, usize::MAX, |byte| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b'/' | b'=' | b' ' | b'\t' | b'\r' | b'\n')
    });
    (length > 0).then(|| pem_line(text, body + length, b"-----END "))?
}
