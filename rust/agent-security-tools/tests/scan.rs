//! The scanner against real listeners on loopback, and inside a network namespace with a firewall.
//!
//! A namespace test starts this same program again under `unshare` and `prlimit`; without root or
//! the tools it is skipped and says so.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use agent_security_tools::scan::{Options, Scan, State, report, scan};
use agent_security_tools::scope::Scope;

fn scope(address: &str) -> Scope {
    let bits = if address.contains(':') { 128 } else { 32 };
    let text = format!(
        r#"{{"schema":1,"owner":"test","networks":["{address}/{bits}"],
            "hosts":[{{"name":"it","address":"{address}"}}],"ports":[1]}}"#
    );
    Scope::parse(&text).expect("a scope")
}

fn quick() -> Options {
    Options {
        timeout: Duration::from_millis(400),
        ..Options::default()
    }
}

fn listeners(address: &str, count: usize) -> (Vec<TcpListener>, Vec<u16>) {
    let all: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((address, 0)).expect("a listener"))
        .collect();
    let mut ports: Vec<u16> = all
        .iter()
        .map(|one| one.local_addr().expect("an address").port())
        .collect();
    ports.sort_unstable();
    (all, ports)
}

fn of_state(scan: &Scan, state: State) -> Vec<u16> {
    scan.answers
        .iter()
        .filter(|answer| answer.state == state)
        .map(|answer| answer.port)
        .collect()
}

#[test]
fn open_and_closed_on_loopback_v4_and_v6() {
    for address in ["127.0.0.1", "::1"] {
        let Ok(probe) = TcpListener::bind((address, 0)) else {
            println!("skipped: no {address} here");
            continue;
        };
        drop(probe);
        let (_open, want) = listeners(address, 20);
        let (shut, mut ports) = listeners(address, 20);
        drop(shut);
        let gone = ports.clone();
        ports.extend(&want);
        let found = scan(&scope(address), None, Some(&ports), quick()).expect("a scan");
        assert_eq!(of_state(&found, State::Open), want);
        assert_eq!(of_state(&found, State::Closed), gone);
        assert!(report(&found, 0).complete);
    }
}

#[test]
fn every_port_of_a_host_is_accounted_for() {
    // An address of its own: other tests run beside this one, and their servers count who connects.
    let address = "127.0.77.1";
    let (_open, want) = listeners(address, 5);
    let ports: Vec<u16> = (1..=65535).collect();
    let found = scan(&scope(address), None, Some(&ports), quick()).expect("a scan");
    assert_eq!(found.answers.len(), 65535);
    let open = of_state(&found, State::Open);
    for port in want {
        assert!(open.contains(&port), "{port} is open and was missed");
    }
    let report = report(&found, 0);
    let counts = report.targets[0].counts;
    assert_eq!(counts.open + counts.closed, 65535, "{counts:?}");
}

#[test]
fn a_second_scan_of_an_unaccepting_listener_is_still_right() {
    let (_open, ports) = listeners("127.0.0.1", 1);
    for _ in 0..3 {
        let found = scan(&scope("127.0.0.1"), None, Some(&ports), quick()).expect("a scan");
        assert_eq!(of_state(&found, State::Open), ports);
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for options in [
        Options {
            timeout: Duration::ZERO,
            ..quick()
        },
        Options {
            tries: 0,
            ..quick()
        },
        Options {
            max_sockets: 0,
            ..quick()
        },
    ] {
        scan(&scope("127.0.0.1"), None, None, options).expect_err("a refusal");
    }
    let error = scan(&scope("127.0.0.1"), None, Some(&[0]), quick()).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "scan: ports: 0 is not a port; expected 1 to 65535"
    );
}

#[test]
fn no_ports_is_an_empty_scan() {
    let found = scan(&scope("127.0.0.1"), None, Some(&[]), quick()).expect("a scan");
    assert!(found.answers.is_empty());
}

/// Runs one of the ignored tests below in a namespace of its own.
fn in_namespace(test: &str, setup: &str, files: u32) {
    if !rustix::process::geteuid().is_root() {
        return println!("skipped: a network namespace needs root");
    }
    for tool in ["unshare", "ip", "nft", "prlimit"] {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .output();
        if !found.is_ok_and(|found| found.status.success()) {
            return println!("skipped: {tool} is not installed");
        }
    }
    let program = std::env::current_exe().expect("this program");
    let script = format!("set -e\nip link set lo up\n{setup}\nexec \"$@\"");
    let done = Command::new("unshare")
        .args([
            "--net",
            "--",
            "sh",
            "-c",
            &script,
            "sh",
            "prlimit",
            &format!("--nofile={files}"),
        ])
        .arg(program)
        .args([
            "--exact",
            test,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .output()
        .expect("unshare runs");
    let text = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success() && text.contains("1 passed"),
        "{text}\n{errors}"
    );
}

const FIREWALL: &str = "nft -f - <<'END'
table inet t {
  chain c {
    type filter hook input priority 0
    tcp dport 2000-2099 drop
    tcp dport 2300-2309 reject with tcp reset
    tcp dport 2310-2312 reject with icmpx admin-prohibited
  }
}
END";

#[test]
fn a_firewall_is_told_from_a_closed_port() {
    in_namespace("inner_firewall", FIREWALL, 1024);
}

#[test]
fn few_descriptors_slow_the_scan_and_do_not_change_it() {
    in_namespace("inner_firewall", FIREWALL, 100);
}

#[test]
#[ignore = "runs inside a namespace, started by the tests above"]
fn inner_firewall() {
    for address in ["127.0.0.1", "::1"] {
        let (_open, mut want) = listeners(address, 5);
        want.retain(|port| !(2000..2400).contains(port));
        let mut ports: Vec<u16> = (1990..2330).collect();
        ports.extend(&want);
        let start = Instant::now();
        let found = scan(&scope(address), None, Some(&ports), quick()).expect("a scan");
        assert_eq!(of_state(&found, State::Open), want);
        let filtered: Vec<u16> = (2000..2100).chain(2310..2313).collect();
        assert_eq!(of_state(&found, State::Filtered), filtered);
        let closed: Vec<u16> = (1990..2000).chain(2100..2310).chain(2313..2330).collect();
        assert_eq!(of_state(&found, State::Closed), closed);
        println!(
            "{address}: {:?}, {} sockets at most",
            start.elapsed(),
            found.peak_sockets
        );
    }
}

#[test]
fn the_deadline_holds_and_the_rest_is_skipped() {
    in_namespace("inner_deadline", FIREWALL, 1024);
}

#[test]
#[ignore = "runs inside a namespace, started by the test above"]
fn inner_deadline() {
    let ports: Vec<u16> = (2000..2100).collect();
    let options = Options {
        timeout: Duration::from_secs(5),
        deadline: Duration::from_millis(300),
        max_sockets: 50,
        ..Options::default()
    };
    let start = Instant::now();
    let found = scan(&scope("127.0.0.1"), None, Some(&ports), options).expect("a scan");
    assert!(
        start.elapsed() < Duration::from_millis(900),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(of_state(&found, State::Skipped).len(), 100);
    assert!(!report(&found, 0).complete);
    assert!(found.peak_sockets <= 50);
}

#[test]
fn what_fails_on_our_side_is_never_closed() {
    let few = "echo '50000 50001' > /proc/sys/net/ipv4/ip_local_port_range";
    in_namespace("inner_local_errors", few, 200);
}

#[test]
#[ignore = "runs inside a namespace, started by the test above"]
fn inner_local_errors() {
    let only = |found: &Scan, reason: &str| {
        assert!(!found.answers.is_empty());
        for answer in &found.answers {
            assert_eq!((answer.state, answer.reason), (State::LocalError, reason));
        }
    };
    // No route: the namespace has loopback alone.
    for address in ["10.9.9.9", "2001:db8::9"] {
        only(
            &scan(&scope(address), None, Some(&[22, 80]), quick()).expect("a scan"),
            "ENETUNREACH",
        );
    }
    // No source port is left towards this listener.
    let listener = TcpListener::bind(("127.0.0.1", 4000)).expect("a listener");
    let taken: Vec<TcpStream> = (0..2)
        .map(|_| TcpStream::connect(("127.0.0.1", 4000)).expect("a connection"))
        .collect();
    let found = scan(&scope("127.0.0.1"), None, Some(&[4000]), quick()).expect("a scan");
    only(&found, "EADDRNOTAVAIL");
    drop((taken, listener));
    // No descriptor is left but the one that the scanner needs for itself.
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    files.pop();
    let found = scan(&scope("127.0.0.1"), None, Some(&[1, 2, 3]), quick()).expect("a scan");
    drop(files);
    only(&found, "EMFILE");
}
