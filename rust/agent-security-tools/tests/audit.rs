//! A whole audit of a recorded host: the report and its SARIF byte for byte, waivers, drift, bad input.
//!
//! The Python twin is held to the same bytes. `BLESS=1 cargo test` writes them anew; look at the diff.

mod fixture;

use agent_security_tools::audit::{Options, Report, Status, audit, catalog, sarif, waiver};
use fixture::Tree;
use serde_json::Value;

const SKIP: &str = "skipped: the recorded host has owners that only root can set";

fn mixed() -> Option<Report> {
    let fixture = fixture::load(&fixture::folder().join("hosts/mixed.json"));
    let tree = Tree::build(fixture["files"].as_object().expect("files"))?;
    let (waivers, previous) = (
        fixture["waivers"].to_string(),
        fixture["previous"].to_string(),
    );
    let options = Options {
        host: fixture["host"].as_str().expect("a name"),
        at: fixture["at"].as_u64().expect("a time"),
        waivers: Some(&waivers),
        previous: Some(&previous),
    };
    Some(audit(&tree.host(), options).expect("an audit"))
}

fn golden(name: &str, found: &str) {
    let path = fixture::folder().join("hosts").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, found).expect("the golden file");
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        want.trim_end(),
        "{name} differs; see this file's head"
    );
}

#[test]
fn the_recorded_host_gives_the_recorded_report() {
    let Some(report) = mixed() else {
        return println!("{SKIP}");
    };
    golden("mixed.report.json", &report.to_json());
    golden("mixed.sarif.json", &sarif::sarif(&report));
    golden("catalog.json", &catalog());
}

#[test]
fn waivers_cover_failures_and_the_unknown_and_say_why() {
    let Some(report) = mixed() else {
        return println!("{SKIP}");
    };
    let of = |check: &str, subject: &str| {
        let found = report
            .findings
            .iter()
            .find(|f| f.check == check && f.subject == subject);
        found
            .unwrap_or_else(|| panic!("no {check} of {subject}"))
            .clone()
    };
    let waived = of("listener-all-addresses", "tcp/22");
    assert_eq!(waived.status, Status::Waived);
    assert_eq!(waived.reason, "SSH serves the operators' network");
    assert_eq!(
        of("listener-all-addresses", "tcp/3306").status,
        Status::Fail
    );
    let unseen = of("docker-socket-mode", "/var/run/docker.sock");
    assert_eq!(unseen.status, Status::Waived);
    assert_eq!(unseen.reason, "hidden from the auditor on purpose");
    assert_eq!(unseen.evidence, "the socket cannot be seen from here");
    assert_eq!(
        (
            report.summary.critical.error,
            report.summary.critical.waived
        ),
        (0, 2)
    );
    let unwaived = of("sysctl-kernel", "kernel.dmesg_restrict");
    assert_eq!(
        (unwaived.status, report.summary.medium.error),
        (Status::Error, 1)
    );
    assert_eq!(report.unused_waivers.len(), 1);
    assert_eq!(report.unused_waivers[0].check, "container-pids-limit");
}

#[test]
fn a_mask_over_a_socket_is_named() {
    let Some(report) = mixed() else {
        return println!("{SKIP}");
    };
    let found = report.findings.iter();
    let mut found = found.filter(|f| f.check == "container-docker-socket" && f.subject == "web");
    let evidence = found.next().map(|f| f.evidence.as_str());
    let want = "no engine socket is seen: / at /host/root is masked by /host/root/run";
    assert_eq!(evidence, Some(want));
}

#[test]
fn drift_names_what_changed() {
    let Some(report) = mixed() else {
        return println!("{SKIP}");
    };
    let found: Vec<String> = report
        .drift
        .iter()
        .map(|d| format!("{} {}", d.kind, d.subject.escape_default()))
        .collect();
    let want = [
        "container_removed gone",
        r"container_added legacy \u{e9}\u{7}",
        "container_image_changed web",
        "listener_removed tcp 0.0.0.0:8080",
        "listener_added tcp 0.0.0.0:3306",
        "listener_added tcp 127.0.0.1:8700",
        "listener_added tcp6 [::1]:53",
        "listener_added tcp6 [::ffff:127.0.0.1]:9100",
        "setuid_added /usr/bin/newtool",
        "setuid_removed /usr/bin/old",
    ];
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(found), sorted(want.map(String::from).to_vec()));
}

#[test]
fn sarif_has_the_shape_of_2_1_0() {
    let Some(report) = mixed() else {
        return println!("{SKIP}");
    };
    let log: Value = serde_json::from_str(&sarif::sarif(&report)).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert!(results.len() > 15);
    for result in results {
        let index =
            usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(
            result["message"]["text"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        assert!(["fail", "open"].contains(&result["kind"].as_str().expect("a kind")));
        // The standard: a result that is no failure has level none.
        assert_eq!(result["kind"] == "open", result["level"] == "none");
    }
    let count = |status: Status| {
        report
            .findings
            .iter()
            .filter(|f| f.status == status)
            .count()
    };
    let suppressed = results
        .iter()
        .filter(|r| r["suppressions"].as_array().is_some_and(|s| !s.is_empty()));
    assert_eq!(suppressed.count(), count(Status::Waived));
    let shown = count(Status::Fail) + count(Status::Waived) + count(Status::Error);
    assert_eq!(results.len(), shown);
}

#[test]
fn a_report_is_read_back() {
    let Some(report) = mixed() else {
        return println!("{SKIP}");
    };
    let again: Report = serde_json::from_str(&report.to_json()).expect("a report");
    assert_eq!(again, report);
}

#[test]
fn bad_waivers_are_refused_with_their_place() {
    for (text, want) in [
        (
            "{}",
            "waivers: not a JSON list; expected a list of {\"check\", \"subject\", \"reason\"}",
        ),
        (
            "[1]",
            "waivers[0]: not an object; expected \"check\", \"subject\" and \"reason\"",
        ),
        (
            r#"[{"check":"docker-userns","subject":"*","reason":" "}]"#,
            "waivers[0].reason: missing or empty; expected why this is accepted",
        ),
        (
            r#"[{"check":"nope","subject":"*","reason":"x"}]"#,
            "waivers[0]: there is no check \"nope\"; expected an id from the catalog of checks",
        ),
        (
            r#"[{"check":"docker-userns","subject":"*","reason":"x","until":1}]"#,
            "waivers[0]: unknown key \"until\"; expected \"check\", \"subject\" and \"reason\"",
        ),
    ] {
        assert_eq!(waiver::parse(text).expect_err(text).to_string(), want);
    }
}

#[test]
fn a_broken_previous_report_is_refused() {
    let host = agent_security_tools::host::Host::new("/nonexistent", "/nonexistent");
    let options = Options {
        host: "h",
        previous: Some("{\"schema\":2}"),
        ..Options::default()
    };
    let error = audit(&host, options).expect_err("a refusal").to_string();
    assert_eq!(
        error,
        "previous report: not an audit report; expected schema 1"
    );
}

#[test]
fn nothing_readable_is_never_a_pass() {
    let host = agent_security_tools::host::Host::new("/nonexistent", "/nonexistent");
    let report = audit(
        &host,
        Options {
            host: "h",
            ..Options::default()
        },
    )
    .expect("an audit");
    let passes: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Pass)
        .map(|finding| finding.check.as_str())
        .collect();
    assert_eq!(passes, Vec::<&str>::new());
    assert!(report.snapshot.listeners.is_none() && report.snapshot.setuid.is_none());
}
