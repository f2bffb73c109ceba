//! Listening TCP sockets, from `/proc/1/net/tcp` and `tcp6` (format: `proc(5)`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::Host;
use super::root::{Root, Unreadable};

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// A listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listener {
    /// `tcp` or `tcp6`.
    pub proto: String,
    /// The address it is bound to.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The user that owns the socket.
    pub uid: u32,
}

impl Listener {
    /// `127.0.0.1:80` or `[::1]:80`.
    pub fn place(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }

    /// Bound to every address of the host.
    pub fn on_all_addresses(&self) -> bool {
        matches!(self.address.as_str(), "0.0.0.0" | "::" | "::ffff:0.0.0.0")
    }
}

/// The listeners of the namespace that process 1 lives in, sorted; each once.
pub(super) fn read(host: &Host) -> Result<Vec<Listener>, Unreadable> {
    let mut found = Vec::new();
    for proto in ["tcp", "tcp6"] {
        if let Some(text) = table(&host.procfs, proto)? {
            found.extend(text.lines().skip(1).filter_map(|line| parse(proto, line)));
        } else if proto == "tcp" {
            return Err(Unreadable {
                path: "/proc/net/tcp".to_string(),
                errno: 2,
            });
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn table(procfs: &Root, proto: &str) -> Result<Option<String>, Unreadable> {
    match procfs.read(&format!("/1/net/{proto}"))? {
        Some(text) => Ok(Some(text)),
        None => procfs.read(&format!("/net/{proto}")),
    }
}

fn parse(proto: &str, line: &str) -> Option<Listener> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let uid = fields.nth(3)?;
    if state != LISTEN {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    Some(Listener {
        proto: proto.to_string(),
        address: decode(address)?.to_string(),
        port: u16::from_str_radix(port, 16).ok()?,
        uid: uid.parse().ok()?,
    })
}

/// The kernel prints each 32-bit word of the address in the machine's order (little-endian here).
fn decode(hex: &str) -> Option<IpAddr> {
    let word = |n: usize| u32::from_str_radix(hex.get(n * 8..n * 8 + 8)?, 16).ok();
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?.swap_bytes()))),
        32 => {
            let mut bytes = [0; 16];
            for n in 0..4 {
                bytes[n * 4..n * 4 + 4].copy_from_slice(&word(n)?.to_le_bytes());
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}
