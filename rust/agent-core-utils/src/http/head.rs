//! The head of a response: parsed by httparse, then held to stricter rules of framing.

use super::fault::Fault;

/// The longest head accepted, in bytes.
pub const MAX_HEAD: usize = 65536;
/// The most fields accepted in a head.
pub const MAX_FIELDS: usize = 100;

/// A span of [`Head::raw`].
type Span = (u32, u32);

/// A response's head. Fields are spans of its bytes: most are never looked at.
#[derive(Debug, Clone, Default)]
pub struct Head {
    raw: Vec<u8>,
    fields: Vec<(Span, Span)>,
    /// The status code, 100 to 999.
    pub status: u16,
    /// `1.0`, `1.1` or `2`.
    pub version: Version,
}

/// The protocol's version that a response was spoken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// As it is written after `HTTP/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}

/// How the body of a response ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After that many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// When the connection closes.
    UntilClose,
}

impl Head {
    /// Parses what begins `bytes`; `None` as long as the head is incomplete, else the head and its length.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Fault> {
        // Only whole lines are judged, so that the verdict does not depend on how bytes arrive.
        let lines = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let mut parsed = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut parsed);
        let end = match response.parse(&bytes[..lines]) {
            Ok(httparse::Status::Complete(end)) => Some(end),
            Ok(httparse::Status::Partial) => None,
            Err(_) => return Err(malformed()),
        };
        // httparse takes a bare line feed for a line's end, and skips empty lines at the start.
        let judged = &bytes[..end.unwrap_or(lines)];
        let bare = |pair: (&u8, &u8)| (*pair.0 == b'\r') != (*pair.1 == b'\n');
        let next = judged.iter().skip(1);
        if judged.first().is_some_and(|&byte| byte != b'H') || judged.iter().zip(next).any(bare) {
            return Err(malformed());
        }
        let status = response.code.unwrap_or(100);
        if !(100..=999).contains(&status) {
            return Err(malformed());
        }
        let Some(end) = end else {
            return if bytes.len() > MAX_HEAD {
                Err(too_long())
            } else {
                Ok(None)
            };
        };
        if end > MAX_HEAD {
            return Err(too_long());
        }
        let base = bytes.as_ptr().addr();
        let span = |part: &[u8]| {
            let from = part.as_ptr().addr().wrapping_sub(base);
            span_of(from, from + part.len())
        };
        let fields = response
            .headers
            .iter()
            .map(|field| (span(field.name.as_bytes()), span(trim(field.value))))
            .collect();
        let version = match response.version {
            Some(0) => Version::Http10,
            _ => Version::Http11,
        };
        let head = Self {
            raw: bytes[..end].to_vec(),
            fields,
            status,
            version,
        };
        Ok(Some((head, end)))
    }

    /// A head that came in another form than text.
    pub fn from_fields<'a>(status: u16, fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut head = Self {
            status,
            version: Version::Http2,
            ..Self::default()
        };
        for (name, value) in fields {
            let from = head.raw.len();
            head.raw.extend_from_slice(name.as_bytes());
            let middle = head.raw.len();
            head.raw.extend_from_slice(trim(value));
            head.fields
                .push((span_of(from, middle), span_of(middle, head.raw.len())));
        }
        head
    }

    /// The fields in their order, names as they came.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (self.part(*name), self.part(*value)))
    }

    /// The values of `name`, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |(found, _)| (found.1 - found.0) as usize == name.len())
            .filter(move |(found, _)| self.part(*found).eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| self.part(*value))
    }

    /// The first value of `name`.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    fn part(&self, span: Span) -> &[u8] {
        &self.raw[span.0 as usize..span.1 as usize]
    }

    /// How the body ends, for the answer to a request that was a `HEAD` or not.
    pub fn framing(&self, head_request: bool) -> Result<Framing, Fault> {
        let mut lengths = self.all("content-length").peekable();
        let mut codings = self.all("transfer-encoding").peekable();
        if codings.peek().is_some() {
            if lengths.peek().is_some() {
                return Err(Fault::protocol(
                    "the response has both Content-Length and Transfer-Encoding",
                ));
            }
            if self.version != Version::Http11 {
                return Err(Fault::protocol(
                    "the response has a Transfer-Encoding that its version does not know",
                ));
            }
            let only = codings.next().unwrap_or(b"");
            if codings.next().is_some() || !only.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::protocol(
                    "the response's Transfer-Encoding is not 'chunked'",
                ));
            }
        }
        let mut length: Option<u64> = None;
        for value in lengths {
            for part in value.split(|&byte| byte == b',') {
                let part = trim(part);
                let digits = (1..=18).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
                let this = std::str::from_utf8(part)
                    .ok()
                    .filter(|_| digits)
                    .and_then(|text| text.parse().ok());
                let Some(this) = this else {
                    return Err(Fault::protocol(
                        "the response's Content-Length is no number",
                    ));
                };
                if length.is_some_and(|length| length != this) {
                    return Err(Fault::protocol(
                        "the response has two different Content-Lengths",
                    ));
                }
                length = Some(this);
            }
        }
        if head_request || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        if self.first("transfer-encoding").is_some() {
            return Ok(Framing::Chunked);
        }
        Ok(length.map_or(Framing::UntilClose, Framing::Length))
    }

    /// Whether another request may follow on the connection.
    pub fn keeps_alive(&self) -> bool {
        let says = |wanted: &str| {
            self.all("connection").any(|value| {
                value
                    .split(|&byte| byte == b',')
                    .any(|token| trim(token).eq_ignore_ascii_case(wanted.as_bytes()))
            })
        };
        match self.version {
            Version::Http10 => says("keep-alive") && !says("close"),
            Version::Http11 => !says("close"),
            Version::Http2 => true,
        }
    }
}

fn malformed() -> Fault {
    Fault::protocol(format!(
        "the response's head is malformed, or has more than {MAX_FIELDS} fields"
    ))
}

fn too_long() -> Fault {
    Fault::protocol(format!(
        "the response's head is longer than {MAX_HEAD} bytes"
    ))
}

fn span_of(from: usize, to: usize) -> Span {
    let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (short(from), short(to))
}

/// Without spaces and tabs at both ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<(Head, usize)>, Fault> {
        Head::parse(text.as_bytes())
    }

    #[test]
    fn a_plain_head() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \t a b \r\n\r\nhi";
        let (found, end) = head(text).unwrap().unwrap();
        assert_eq!((found.status, &text[end..]), (200, "hi"));
        assert_eq!(found.first("x"), Some(&b"a b"[..]));
        assert_eq!(found.framing(false), Ok(Framing::Length(2)));
        assert_eq!(found.framing(true), Ok(Framing::Length(0)));
        assert!(found.keeps_alive());
    }

    #[test]
    fn strict_syntax() {
        for bad in [
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\n\n",
            "HTTP/1.1 200 OK\r\nA: b\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "SSH-2.0\r\n\r\n",
        ] {
            assert!(head(bad).is_err(), "{bad:?}");
        }
        assert!(head("HTTP/1.1 20").unwrap().is_none());
    }

    #[test]
    fn strict_framing() {
        for bad in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: +1",
            "Content-Length: 1,",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{bad}\r\n\r\n");
            assert!(
                head(&text).unwrap().unwrap().0.framing(false).is_err(),
                "{bad}"
            );
        }
    }
}
