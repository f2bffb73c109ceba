//! Addresses: strict, ASCII, without credentials; and what a `Location` means.
//!
//! Deliberately smaller than WHATWG's: what two parsers could read differently is refused.

use super::fault::Fault;
use std::fmt::Write as _;
use std::net::Ipv6Addr;

/// The longest address accepted, in bytes.
pub const MAX_URL: usize = 8192;

/// A checked `http` or `https` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether the scheme is `https`.
    pub https: bool,
    /// Lower case; an IPv6 address keeps its brackets.
    pub host: String,
    /// As given, or the scheme's own.
    pub port: u16,
    /// Path and query, at least `/`.
    pub target: String,
}

impl Url {
    /// Checks and parts `text`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_URL {
            return Err(Fault::input(format!(
                "the URL is longer than {MAX_URL} bytes"
            )));
        }
        if let Some(at) = text
            .chars()
            .position(|char| char <= ' ' || char == '\u{7f}')
        {
            return Err(Fault::input(format!(
                "the URL holds a space or a control character at position {at}"
            )));
        }
        let scheme = |name: &str| {
            text.get(..name.len())
                .filter(|head| head.eq_ignore_ascii_case(name))
        };
        let (https, rest) = match (scheme("http://"), scheme("https://")) {
            (Some(head), _) => (false, &text[head.len()..]),
            (_, Some(head)) => (true, &text[head.len()..]),
            _ => {
                return Err(Fault::input(
                    "the URL must begin with 'http://' or 'https://'",
                ));
            }
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = parse_authority(authority, if https { 443 } else { 80 })?;
        let rest = rest.split('#').next().unwrap_or("");
        let mut target = String::with_capacity(rest.len() + 1);
        if !rest.starts_with('/') {
            target.push('/');
        }
        escape(rest, &mut target);
        Ok(Self {
            https,
            host,
            port,
            target,
        })
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host, and the port where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == if self.https { 443 } else { 80 } {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Scheme, host and port: what limits, breakers and connections belong to.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.scheme(), self.host, self.port)
    }

    /// Whether both have one scheme, host and port.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        (self.https, self.port, &self.host) == (other.https, other.port, &other.host)
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// What `location`, the raw bytes of a header, means seen from here.
    pub fn join(&self, location: &[u8]) -> Result<Self, Fault> {
        let mut text = String::with_capacity(location.len());
        for &byte in location {
            if byte.is_ascii() {
                text.push(byte as char);
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
        let refused = |fault: Fault| {
            Fault::new(
                super::Kind::Redirect,
                format!("the redirect leads nowhere: {}", fault.text),
            )
        };
        let absolute = if has_scheme(&text) {
            text
        } else if text.starts_with("//") {
            format!("{}:{text}", self.scheme())
        } else {
            let reference = text.split('#').next().unwrap_or("");
            let (path, query) = match reference.find('?') {
                Some(at) => reference.split_at(at),
                None => (reference, ""),
            };
            let target = if reference.is_empty() {
                self.target.clone()
            } else if path.is_empty() {
                format!("{}{query}", self.path())
            } else if path.starts_with('/') {
                format!("{}{query}", without_dots(path))
            } else {
                let base = self.path();
                let folder = &base[..=base.rfind('/').unwrap_or(0)];
                format!("{}{query}", without_dots(&format!("{folder}{path}")))
            };
            format!("{}{target}", self.origin())
        };
        Self::parse(&absolute).map_err(refused)
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{}://{}{}",
            self.scheme(),
            self.authority(),
            self.target
        )
    }
}

/// `host` or `host:port` of an address.
fn parse_authority(authority: &str, default: u16) -> Result<(String, u16), Fault> {
    if authority.contains('@') {
        return Err(Fault::input(
            "the URL holds a user name or password; expected an 'authorization' header",
        ));
    }
    if !authority.is_ascii() {
        return Err(Fault::input(
            "the URL's host is not ASCII; expected its form for DNS, 'xn--…'",
        ));
    }
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']').map_or(authority.len(), |at| at + 1);
        authority.split_at(end)
    } else {
        authority.split_at(authority.find(':').unwrap_or(authority.len()))
    };
    let valid = if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').unwrap_or("");
        inner
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.')
            && inner.parse::<Ipv6Addr>().is_ok()
    } else {
        host.len() <= 253
            && host.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            })
    };
    if !valid {
        return Err(Fault::input(format!("the URL's host '{host}' is none")));
    }
    let port = match port.strip_prefix(':') {
        Some("") => default,
        Some(digits) if digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            match digits
                .parse::<u32>()
                .ok()
                .and_then(|port| u16::try_from(port).ok())
            {
                Some(port) if port > 0 => port,
                _ => return Err(bad_port(digits)),
            }
        }
        Some(other) => return Err(bad_port(other)),
        None if port.is_empty() => default,
        None => return Err(bad_port(port)),
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn bad_port(port: &str) -> Fault {
    Fault::input(format!(
        "the URL's port '{port}' is none; expected 1 to 65535"
    ))
}

/// Appends `text` with what may not stand in an address percent-encoded.
fn escape(text: &str, out: &mut String) {
    let plain = |byte: u8| byte.is_ascii() && !b"\"<>\\^`{|}".contains(&byte);
    if text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if plain(byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn has_scheme(text: &str) -> bool {
    let Some(colon) = text.find(':') else {
        return false;
    };
    let scheme = &text.as_bytes()[..colon];
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte))
}

/// RFC 3986, 5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path[1..].split('/').collect();
    let last = segments.len() - 1;
    for (at, segment) in segments.iter().enumerate() {
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_defaults() {
        let url = Url::parse("HTTPS://Example.org?q=ü#x").unwrap();
        assert_eq!(url.to_string(), "https://example.org/?q=%C3%BC");
        assert_eq!(url.origin(), "https://example.org:443");
        assert_eq!(Url::parse("http://[::1]:80/").unwrap().authority(), "[::1]");
    }

    #[test]
    fn refuses_what_could_be_read_twice() {
        for bad in [
            "http://",
            "ftp://x/",
            "http://a@b/",
            "http://a b/",
            "http://a:0/",
            "http://a:65536/",
            "http://a:+1/",
            "http://[::1/",
            "http://[::1]x/",
            "http://a..b/",
            "http://ü/",
            "http://a\\b/",
            "http://a\r\nb/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn joins() {
        let base = Url::parse("http://h/a/b?c").unwrap();
        for (location, wanted) in [
            ("/x", "http://h/x"),
            ("x", "http://h/a/x"),
            ("../x", "http://h/x"),
            ("../../../x/.", "http://h/x/"),
            ("?y", "http://h/a/b?y"),
            ("", "http://h/a/b?c"),
            ("#f", "http://h/a/b?c"),
            ("//o/z", "http://o/z"),
            ("https://o", "https://o/"),
        ] {
            assert_eq!(
                base.join(location.as_bytes()).unwrap().to_string(),
                wanted,
                "{location}"
            );
        }
        assert!(base.join(b"mailto:x").is_err());
    }
}
