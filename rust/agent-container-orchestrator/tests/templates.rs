//! Templates, policies and plans: pure, no engine. The Python suite asks the same of both
//! implementations and compares them; here stands what this crate must keep by itself.

use std::collections::BTreeMap;

use agent_container_orchestrator::{
    Container, Node, Policy, Project, Variables, config_hash, container_config, interpolate,
    parse_sandbox, parse_template, plan, sandbox_config,
};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn parse(text: &str) -> Result<Project, Vec<String>> {
    parse_template(text, &variables(&[("V", "v")]), &Policy::default()).map_err(|e| e.problems)
}

fn service(body: &str) -> String {
    format!("name: p\nservices:\n  a: {{image: i, x-health: none, {body}}}\n")
}

#[test]
fn interpolates_every_form() {
    let known = variables(&[("A", "1"), ("E", "")]);
    for (text, expected) in [
        ("$A ${A} $$A", "1 1 $A"),
        ("${E:-d}${E-d}${U:-${A}}", "d1"),
        ("${A:+x}${E:+x}${E+y}", "xy"),
        ("${A:?no}", "1"),
    ] {
        assert_eq!(interpolate(text, &known).as_deref(), Ok(expected), "{text}");
    }
    for text in ["$U", "${U:?say}", "${", "${A", "$", "${A!}", "${é}"] {
        assert!(interpolate(text, &known).is_err(), "{text}");
    }
}

#[test]
fn refuses_with_the_path_and_what_is_allowed() {
    for (body, start) in [
        (
            "imagee: x",
            "services.a.imagee: unknown key; expected one of cap_add, ",
        ),
        (
            "privileged: true",
            "services.a.privileged: true gives the host",
        ),
        (
            "volumes: ['/:/x']",
            "services.a.volumes[0]: \"/\" holds the engine's socket",
        ),
        (
            "volumes: ['/a/../etc:/x']",
            "services.a.volumes[0]: host path \"/etc\" is not",
        ),
        (
            "network_mode: host",
            "services.a.network_mode: the host's network",
        ),
        ("pid: host", "services.a.pid: the host's namespace"),
        (
            "cap_add: [SYS_ADMIN]",
            "services.a.cap_add: capability SYS_ADMIN is not allowed",
        ),
    ] {
        let problems = parse(&service(body)).expect_err(body);
        assert_eq!(problems.len(), 1, "{body}: {problems:?}");
        assert!(problems[0].starts_with(start), "{body}: {problems:?}");
    }
}

#[test]
fn policy_opens_what_it_names_and_no_more() {
    let node = Node::from_json(r#"{"bind_mounts": ["/srv/data/"], "cap_add": ["CAP_SYS_TIME"]}"#);
    let policy = Policy::parse(&node.unwrap()).unwrap();
    let try_it = |body: &str| parse_template(&service(body), &Variables::new(), &policy).is_ok();
    assert!(try_it("volumes: ['/srv/data/x:/x'], cap_add: [SYS_TIME]"));
    assert!(!try_it("volumes: ['/srv/data2:/x']"));
    assert!(!try_it("cap_add: [CHOWN]"));
    let unknown = Node::from_json(r#"{"allow_all": true}"#).unwrap();
    assert!(
        Policy::parse(&unknown)
            .unwrap_err()
            .to_string()
            .starts_with("policy.allow_all: unknown")
    );
}

#[test]
fn ports_stay_on_loopback_unless_written() {
    let project = parse(&service("ports: ['80', '0.0.0.0:81:81']")).unwrap();
    let hosts: Vec<&str> = project.services["a"]
        .ports
        .iter()
        .map(|port| port.host_ip.as_str())
        .collect();
    assert_eq!(hosts, ["127.0.0.1", "0.0.0.0"]);
}

#[test]
fn bounds_hold_against_expansion_and_depth() {
    let mut laughs = "a: &a [1]\n".to_owned();
    for (before, name) in "abcdef".chars().zip("bcdefg".chars()) {
        let aliases = vec![format!("*{before}"); 10].join(",");
        laughs = format!("{laughs}{name}: &{name} [{aliases}]\n");
    }
    let deep = format!("a: {}{}", "[".repeat(5000), "]".repeat(5000));
    for text in [laughs, deep, "x".repeat(300_000), "a: &a [*a]".to_owned()] {
        let problem = &parse(&text).unwrap_err()[0];
        assert!(problem.starts_with("template: too l"), "{problem}");
    }
}

fn running(project: &Project, name: &str) -> Container {
    let labels = container_config(project, name, "sha256:i")["Labels"].clone();
    let spec = labels["agentcore.spec"].as_str().unwrap();
    Container {
        id: "1".to_owned(),
        name: format!("p-{name}"),
        service: name.to_owned(),
        state: "running".to_owned(),
        health: String::new(),
        exit_code: 0,
        image_id: "sha256:i".to_owned(),
        config_hash: config_hash(project, name),
        spec: serde_json::from_str(spec).unwrap(),
    }
}

#[test]
fn plans_name_the_attribute() {
    let images = BTreeMap::from([("i".to_owned(), "sha256:i".to_owned())]);
    let old = parse(&service("mem_limit: 64m, environment: {K: one}")).unwrap();
    let current = [running(&old, "a")];
    assert_eq!(plan(&old, &images, &current).changes, 0);
    let new = parse(&service("mem_limit: 65m, environment: {K: two}")).unwrap();
    let found = plan(&new, &images, &current);
    let reasons: Vec<String> = found.actions[0]
        .reasons
        .iter()
        .map(|r| format!("{} {} {}", r.attribute, r.before, r.after))
        .collect();
    assert_eq!(
        reasons,
        [
            "environment.K \"(hidden)\" \"(hidden)\"",
            "limits.memory_bytes 67108864 68157440"
        ]
    );
}

/// What bollard's types would drop on the way would silently not be applied.
#[test]
fn create_requests_survive_bollards_types() {
    let text = "name: p\nservices:\n  a:\n    image: i\n    command: x\n    entrypoint: [y]\n    \
        environment: {A: 1}\n    ports: ['80:81/udp']\n    volumes: ['v:/v:ro']\n    tmpfs: /t\n    \
        healthcheck: {test: x, interval: 1s, retries: 2, start_interval: 1s}\n    mem_limit: 9m\n    \
        cpus: 0.5\n    pids_limit: 7\n    networks: {n: {aliases: [b]}}\n    user: '1:1'\n    \
        read_only: true\n    init: true\n    cap_drop: [ALL]\n    cap_add: [CHOWN]\n    \
        security_opt: [no-new-privileges]\n    labels: {l: m}\n    restart: on-failure:2\n    \
        working_dir: /w\n    stop_grace_period: 3s\nnetworks: {n: }\nvolumes: {v: }\n";
    let project = parse(text).unwrap();
    let sandbox = Node::from_json(r#"{"image": "i", "command": ["x"], "stdin": "y"}"#).unwrap();
    let sandbox = parse_sandbox(&sandbox, &Policy::default()).unwrap();
    for body in [
        container_config(&project, "a", "sha256:i"),
        sandbox_config(&sandbox, "sha256:i", 1),
    ] {
        let typed: bollard::models::ContainerCreateBody =
            serde_json::from_value(body.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), body);
    }
}
