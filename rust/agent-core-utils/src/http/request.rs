//! A request: what a caller may put into it, and its bytes in HTTP/1.1.

use super::body::is_token;
use super::fault::Fault;
use super::url::Url;

/// Header fields that are the client's own business.
pub const MANAGED: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Header fields: lower-case names, checked values.
pub type Fields = Vec<(String, Vec<u8>)>;

/// Checks one field of the caller's; returns its name in lower case.
pub fn checked_field(name: &str, value: &[u8]) -> Result<String, Fault> {
    if !is_token(name.as_bytes()) {
        return Err(Fault::input(format!(
            "the header name {} is not a token",
            quoted(name)
        )));
    }
    let lower = name.to_ascii_lowercase();
    if MANAGED.contains(&lower.as_str()) {
        return Err(Fault::input(format!(
            "the header '{lower}' is set by the client itself"
        )));
    }
    let bad = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
    if value.iter().any(bad) {
        return Err(Fault::input(format!(
            "the value of the header '{lower}' holds a control character"
        )));
    }
    Ok(lower)
}

/// Checks a method: upper-case letters, and none that means a tunnel.
pub fn checked_method(method: &str) -> Result<(), Fault> {
    let letters = |byte: u8| byte.is_ascii_uppercase();
    if method.is_empty() || method.len() > 32 || !method.bytes().all(letters) || method == "CONNECT"
    {
        return Err(Fault::input(format!(
            "the method {} is none; expected upper-case letters such as 'GET', not 'CONNECT'",
            quoted(method)
        )));
    }
    Ok(())
}

/// `text` between quotes, with what is not printable ASCII replaced: fit for a message.
fn quoted(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(40)
        .map(|char| {
            if (' '..='~').contains(&char) {
                char
            } else {
                '?'
            }
        })
        .collect();
    format!("'{shown}'")
}

/// How long a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// There is no body.
    None,
    /// A body of so many bytes.
    Known(usize),
    /// Sent in chunks as it comes.
    Chunked,
}

/// Whether a method's requests say how long their empty body is.
fn announces(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

/// Writes the head of a request. `absolute`: as a proxy wants it.
pub fn write_head(
    out: &mut Vec<u8>,
    method: &str,
    url: &Url,
    fields: &[(&str, &[u8])],
    length: Length,
    absolute: bool,
) {
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    if absolute {
        out.extend_from_slice(b"http://");
        push_authority(out, url);
    }
    out.extend_from_slice(url.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    push_authority(out, url);
    out.extend_from_slice(b"\r\n");
    for (name, value) in fields {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    match length {
        Length::None if announces(method) => out.extend_from_slice(b"content-length: 0\r\n"),
        Length::None => {}
        Length::Known(bytes) => {
            out.extend_from_slice(format!("content-length: {bytes}\r\n").as_bytes());
        }
        Length::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"\r\n");
}

fn push_authority(out: &mut Vec<u8>, url: &Url) {
    out.extend_from_slice(url.host.as_bytes());
    if url.port != if url.https { 443 } else { 80 } {
        out.extend_from_slice(format!(":{}", url.port).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_injection() {
        assert!(checked_field("a b", b"").is_err());
        assert!(checked_field("a", b"x\r\ny: z").is_err());
        assert!(checked_field("Host", b"x").is_err());
        assert_eq!(checked_field("X-A", b"\xff\t.").unwrap(), "x-a");
        assert!(checked_method("GET /x").is_err());
        assert!(checked_method("CONNECT").is_err());
    }

    #[test]
    fn writes() {
        let url = Url::parse("http://h:8/p?q").unwrap();
        let mut out = Vec::new();
        write_head(
            &mut out,
            "PUT",
            &url,
            &[("a", b"b")],
            Length::Known(3),
            true,
        );
        let wanted =
            "PUT http://h:8/p?q HTTP/1.1\r\nhost: h:8\r\na: b\r\ncontent-length: 3\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&out), wanted);
    }
}
