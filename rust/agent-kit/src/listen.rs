//! Where a daemon listens: a TCP address or a Unix socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// A listening address: `HOST:PORT`, `:PORT` (every IPv4 interface) or `unix:/path/to.sock`.
///
/// Names are not resolved, except `localhost`: the daemons run in images without a resolver, and
/// an address that changes under a listener is a surprise in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket, made with mode 0660.
    Unix(PathBuf),
}

impl Listen {
    /// Whether only this machine can reach the address. A Unix socket is local; its file mode guards it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(PathBuf::from(path)))
            } else {
                Err("a Unix socket needs an absolute path, as in unix:/run/agent.sock".into())
            };
        }
        parse_tcp(text).map(Self::Tcp)
    }
}

/// Reads `HOST:PORT` without resolving names; the error says which half is wrong.
pub(crate) fn parse_tcp(text: &str) -> Result<SocketAddr, String> {
    const RIGHT: &str = "expected HOST:PORT with an IP address, as in 127.0.0.1:9100 or [::1]:9100";
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| format!("the port is missing; {RIGHT}"))?;
    let port: u16 = port
        .parse()
        .map_err(|_| format!("port {port:?} is not a number from 0 to 65535; {RIGHT}"))?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = match (host, bracketed) {
        ("", _) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ("localhost", _) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        (_, Some(inner)) => inner
            .parse()
            .map(IpAddr::V6)
            .map_err(|_| format!("{inner:?} is not an IPv6 address; {RIGHT}"))?,
        (plain, None) => plain
            .parse()
            .map(IpAddr::V4)
            .map_err(|_| format!("{plain:?} is not an IPv4 address; {RIGHT}"))?,
    };
    Ok(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for (text, shown, local) in [
            ("127.0.0.1:9100", "127.0.0.1:9100", true),
            ("localhost:1", "127.0.0.1:1", true),
            (":9100", "0.0.0.0:9100", false),
            ("[::1]:80", "[::1]:80", true),
            ("10.0.0.7:0", "10.0.0.7:0", false),
            ("unix:/run/a.sock", "unix:/run/a.sock", true),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(listen.to_string(), shown);
            assert_eq!(listen.is_local(), local, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("9100", "port is missing"),
            ("127.0.0.1:70000", "\"70000\" is not a number"),
            ("127.0.0.1:", "\"\" is not a number"),
            ("example.org:80", "\"example.org\" is not an IPv4 address"),
            ("[zz]:80", "\"zz\" is not an IPv6 address"),
            ("unix:run/a.sock", "absolute path"),
        ] {
            let error = text.parse::<Listen>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
