//! The scope: which addresses the team owns and may scan. Nothing else is ever connected to.
//!
//! `{"schema":1,"owner":"ops","networks":["10.0.0.5/32"],"hosts":[{"name":"h1","address":"10.0.0.5"}],"ports":[22]}`

use std::net::IpAddr;
use std::str::FromStr as _;

use ipnet::IpNet;
use serde_json::{Map, Value};

use crate::Error;

/// The widest networks a scope may hold, as prefix lengths.
const WIDEST_V4: u8 = 16;
const WIDEST_V6: u8 = 48;
const KEYS: [&str; 5] = ["schema", "owner", "networks", "hosts", "ports"];

/// A host the team owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in the inventory; the address itself if it has none.
    pub name: String,
    /// The address to connect to.
    pub address: IpAddr,
}

/// What may be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Who answers for it.
    pub owner: String,
    /// The networks; every address must lie in one.
    pub networks: Vec<IpNet>,
    /// The hosts scanned by default.
    pub hosts: Vec<Target>,
    /// The ports scanned by default.
    pub ports: Vec<u16>,
}

impl Scope {
    /// Reads a scope file.
    ///
    /// # Errors
    /// [`Error::Input`] naming the entry that cannot be used.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let value: Map<String, Value> = serde_json::from_str(text).map_err(|_| {
            Error::input(
                "scope",
                "not a JSON object",
                "schema, owner, networks, hosts and ports",
            )
        })?;
        let mut keys: Vec<&String> = value.keys().collect();
        keys.sort();
        if let Some(key) = keys.into_iter().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::input(
                "scope",
                format!("unknown key \"{key}\""),
                KEYS.join(", "),
            ));
        }
        if value.get("schema").and_then(Value::as_u64) != Some(1) {
            return Err(Error::input("scope: schema", "missing or unknown", "1"));
        }
        let owner = value
            .get("owner")
            .and_then(Value::as_str)
            .map_or("", str::trim_ascii);
        if owner.is_empty() {
            return Err(Error::input(
                "scope: owner",
                "missing or empty",
                "who answers for it",
            ));
        }
        let networks = items(&value, "networks", "a list of networks such as 10.0.0.5/32")?
            .iter()
            .enumerate()
            .map(|(number, item)| network(number, item))
            .collect::<Result<_, _>>()?;
        let mut scope = Self {
            owner: owner.to_string(),
            networks,
            hosts: vec![],
            ports: vec![],
        };
        let hosts = items(&value, "hosts", "a list of {\"name\", \"address\"}")?;
        for (number, item) in hosts.iter().enumerate() {
            let target = scope.host(number, item)?;
            scope.hosts.push(target);
        }
        let numbers = items(&value, "ports", "a list of ports")?;
        for (number, item) in numbers.iter().enumerate() {
            let port = item
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
                .filter(|p| *p > 0);
            scope.ports.push(port.ok_or_else(|| {
                Error::input(
                    format!("scope: ports[{number}]"),
                    "not a port",
                    "1 to 65535",
                )
            })?);
        }
        Ok(scope)
    }

    fn host(&self, number: usize, item: &Value) -> Result<Target, Error> {
        let place = |key: &str| format!("scope: hosts[{number}].{key}");
        let text = |key: &str| {
            item.get(key)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
        };
        let name = text("name")
            .ok_or_else(|| Error::input(place("name"), "missing or empty", "the host's name"))?;
        let wants = "an IPv4 or IPv6 address (names are not looked up)";
        let address = text("address")
            .and_then(|text| IpAddr::from_str(text).ok())
            .ok_or_else(|| Error::input(place("address"), "not an address", wants))?;
        self.admit(address).map_err(|refusal| {
            Error::input(place("address"), refusal.to_string(), "one in scope")
        })?;
        Ok(Target {
            name: name.to_string(),
            address: address.to_canonical(),
        })
    }

    /// The targets a request names: addresses, or names of hosts in the scope.
    ///
    /// # Errors
    /// [`Error::OutOfScope`] for the first that may not be scanned.
    pub fn targets(&self, asked: &[String]) -> Result<Vec<Target>, Error> {
        let mut targets: Vec<Target> = Vec::new();
        for text in asked {
            let target = if let Some(host) = self.hosts.iter().find(|host| host.name == *text) {
                host.clone()
            } else if let Ok(address) = IpAddr::from_str(text) {
                self.admit(address)?;
                let address = address.to_canonical();
                let known = self.hosts.iter().find(|host| host.address == address);
                let name = known.map_or_else(|| address.to_string(), |host| host.name.clone());
                Target { name, address }
            } else {
                return Err(Error::OutOfScope {
                    address: text.clone(),
                    reason: "neither an address nor the name of a host in the scope file"
                        .to_string(),
                });
            };
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        Ok(targets)
    }

    /// Whether an address may be connected to. Asked again for each address just before connecting.
    ///
    /// # Errors
    /// [`Error::OutOfScope`] with the reason.
    pub fn admit(&self, address: IpAddr) -> Result<(), Error> {
        let refuse = |reason: String| {
            Err(Error::OutOfScope {
                address: address.to_string(),
                reason,
            })
        };
        let plain = address.to_canonical();
        if let Some(kind) = never(plain) {
            return refuse(format!("{kind} addresses are never scanned"));
        }
        if self.networks.iter().any(|network| network.contains(&plain)) {
            return Ok(());
        }
        refuse(format!(
            "no network of {}'s scope file holds it",
            self.owner
        ))
    }
}

/// Addresses that no scope can allow.
fn never(address: IpAddr) -> Option<&'static str> {
    match address {
        _ if address.is_unspecified() => Some("unspecified"),
        _ if address.is_multicast() => Some("multicast"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("broadcast"),
        IpAddr::V4(v4) if v4.octets() == [169, 254, 169, 254] => Some("cloud metadata"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("link-local"),
        _ => None,
    }
}

fn items<'a>(
    value: &'a Map<String, Value>,
    key: &str,
    wants: &str,
) -> Result<&'a Vec<Value>, Error> {
    value
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| Error::input(format!("scope: {key}"), "missing or not a list", wants))
}

fn network(number: usize, item: &Value) -> Result<IpNet, Error> {
    let place = format!("scope: networks[{number}]");
    let found = item.as_str().and_then(|text| text.parse::<IpNet>().ok());
    let network = found.ok_or_else(|| {
        Error::input(
            &place,
            "not a network",
            "an address and a prefix such as 10.0.0.5/32",
        )
    })?;
    let widest = match network {
        IpNet::V4(_) => WIDEST_V4,
        IpNet::V6(_) => WIDEST_V6,
    };
    if network.prefix_len() < widest {
        let what = format!("/{} is too wide to be meant", network.prefix_len());
        return Err(Error::input(place, what, format!("/{widest} or narrower")));
    }
    Ok(network.trunc())
}
