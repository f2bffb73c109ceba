//! The scope file: what it admits, what it never admits, and how it is refused.

use std::net::IpAddr;

use agent_security_tools::scan::{self, Options};
use agent_security_tools::scope::Scope;

const SCOPE: &str = r#"{"schema":1,"owner":"ops","networks":["10.0.0.0/24","2001:db8::/64"],
    "hosts":[{"name":"h1","address":"10.0.0.5"},{"name":"h2","address":"2001:db8::7"}],"ports":[22,80]}"#;

fn scope() -> Scope {
    Scope::parse(SCOPE).expect("a scope")
}

#[test]
fn addresses_inside_are_admitted() {
    for address in ["10.0.0.0", "10.0.0.255", "2001:db8::1", "::ffff:10.0.0.9"] {
        scope()
            .admit(address.parse().expect("an address"))
            .expect(address);
    }
}

#[test]
fn addresses_outside_are_refused_with_the_reason() {
    for (address, want) in [
        (
            "10.0.1.0",
            "10.0.1.0 is out of scope: no network of ops's scope file holds it",
        ),
        ("2001:db8:0:1::1", "no network of ops's scope file holds it"),
        ("::ffff:10.0.1.1", "no network of ops's scope file holds it"),
        ("0.0.0.0", "unspecified addresses are never scanned"),
        ("224.0.0.1", "multicast addresses are never scanned"),
        ("255.255.255.255", "broadcast addresses are never scanned"),
        (
            "169.254.169.254",
            "cloud metadata addresses are never scanned",
        ),
        (
            "::ffff:169.254.169.254",
            "cloud metadata addresses are never scanned",
        ),
        ("fe80::1", "link-local addresses are never scanned"),
    ] {
        let address: IpAddr = address.parse().expect("an address");
        let error = scope().admit(address).expect_err("a refusal").to_string();
        assert!(error.ends_with(want), "{error}");
    }
}

#[test]
fn one_target_outside_stops_the_whole_scan() {
    let asked = ["h1".to_string(), "192.0.2.1".to_string()];
    let error = scan::scan(&scope(), Some(&asked), None, Options::default()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "192.0.2.1 is out of scope: no network of ops's scope file holds it"
    );
    let asked = ["example.org".to_string()];
    let error = scan::scan(&scope(), Some(&asked), None, Options::default()).expect_err("refused");
    let want =
        "example.org is out of scope: neither an address nor the name of a host in the scope file";
    assert_eq!(error.to_string(), want);
}

#[test]
fn targets_are_named_and_counted_once() {
    let asked = ["h1", "10.0.0.5", "10.0.0.6", "h2"].map(String::from);
    let targets = scope().targets(&asked).expect("targets");
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["h1", "10.0.0.6", "h2"]);
}

#[test]
fn bad_scope_files_are_refused_with_their_place() {
    for (from, to, want) in [
        (
            "\"schema\":1",
            "\"schema\":2",
            "scope: schema: missing or unknown; expected 1",
        ),
        (
            "\"ops\"",
            "\" \"",
            "scope: owner: missing or empty; expected who answers for it",
        ),
        (
            "\"owner\"",
            "\"boss\"",
            "scope: unknown key \"boss\"; expected schema, owner, networks, hosts, ports",
        ),
        (
            "10.0.0.0/24",
            "10.0.0.0/8",
            "scope: networks[0]: /8 is too wide to be meant; expected /16 or narrower",
        ),
        (
            "2001:db8::/64",
            "2000::/3",
            "scope: networks[1]: /3 is too wide to be meant; expected /48 or narrower",
        ),
        (
            "10.0.0.0/24",
            "10.0.0.0",
            "scope: networks[0]: not a network; expected an address and a prefix such as 10.0.0.5/32",
        ),
        (
            "\"10.0.0.5\"",
            "\"h1.example\"",
            "scope: hosts[0].address: not an address; expected an IPv4 or IPv6 address (names are not looked up)",
        ),
        (
            "\"10.0.0.5\"",
            "\"10.9.0.5\"",
            "scope: hosts[0].address: 10.9.0.5 is out of scope: no network of ops's scope file holds it; expected one in scope",
        ),
        (
            "\"h2\"",
            "\"\"",
            "scope: hosts[1].name: missing or empty; expected the host's name",
        ),
        (
            "[22,80]",
            "[22,0]",
            "scope: ports[1]: not a port; expected 1 to 65535",
        ),
        (
            "[22,80]",
            "[65536]",
            "scope: ports[0]: not a port; expected 1 to 65535",
        ),
        (
            "[22,80]",
            "22",
            "scope: ports: missing or not a list; expected a list of ports",
        ),
        (
            "{\"schema\"",
            "[{\"schema\"",
            "scope: not a JSON object; expected schema, owner, networks, hosts and ports",
        ),
    ] {
        let text = SCOPE.replacen(from, to, 1);
        assert_eq!(Scope::parse(&text).expect_err(to).to_string(), want);
    }
}
