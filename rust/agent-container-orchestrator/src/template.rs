//! Templates in Compose syntax: text in, the project out. Pure: no file, no engine, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::error::TemplateError;
use crate::interpolation::{Variables, interpolate_tree};
use crate::model::{Network, Project, Service, Volume};
use crate::mounts::NAME;
use crate::node::Node;
use crate::policy::Policy;
use crate::reading::Reader;
use crate::service::{Surroundings, read_service};
use crate::values::{child, pattern, show};
use crate::yaml::load;

pub(crate) static PROJECT_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[a-z0-9][a-z0-9_-]{0,62}"));
const TOP_KEYS: [&str; 5] = ["name", "networks", "services", "version", "volumes"];
const NAME_RULE: &str =
    "letters, digits, '_', '.' and '-', at most 63, the first a letter or digit";

/// Read, check and normalize a template.
///
/// `variables` say what `${NAME}` means; the process environment is not read. `policy` says what
/// the template may ask of the host.
///
/// # Errors
/// Every problem found, each with its path.
pub fn parse_template(
    text: &str,
    variables: &Variables,
    policy: &Policy,
) -> Result<Project, TemplateError> {
    let tree = load(text)?;
    let Node::Map(pairs) = &tree else {
        return Err(TemplateError::one(format!(
            "template: {}; expected a mapping with name and services",
            show(&tree)
        )));
    };
    let mut reader = Reader::default();
    let free = |key: &str| key.starts_with("x-");
    for (key, _) in pairs {
        if !TOP_KEYS.contains(&key.as_str()) && !free(key) {
            let expected = format!("one of {} or x-…", TOP_KEYS.join(", "));
            reader.problem(&child("", key), "unknown key", expected);
        }
    }
    let top = Node::Map(
        pairs
            .iter()
            .filter(|(key, _)| !free(key))
            .map(|(key, value)| {
                let place = child("", key);
                let value = interpolate_tree(value, variables, &place, &mut reader.problems);
                (key.clone(), value)
            })
            .collect(),
    );
    if !reader.problems.is_empty() {
        return Err(TemplateError {
            problems: reader.problems,
        });
    }
    let at = |key: &str| top.get(key).unwrap_or(&Node::Null);
    let project = read_project(&at, variables, policy, &mut reader);
    if reader.problems.is_empty() {
        Ok(project)
    } else {
        Err(TemplateError {
            problems: reader.problems,
        })
    }
}

fn read_project<'a>(
    at: &impl Fn(&str) -> &'a Node,
    variables: &Variables,
    policy: &Policy,
    reader: &mut Reader,
) -> Project {
    let name = reader.text(
        at("name"),
        "name",
        "the project's name: a-z, 0-9, '_' and '-', at most 63, the first a letter or digit",
        Some(&PROJECT_NAME),
    );
    let mut networks: BTreeMap<String, Network> =
        shared(at("networks"), "networks", "bridge", &name, reader)
            .into_iter()
            .map(|(key, (name, external, internal))| {
                let network = Network {
                    name,
                    external,
                    internal,
                };
                (key, network)
            })
            .collect();
    let volumes: BTreeMap<String, Volume> =
        shared(at("volumes"), "volumes", "local", &name, reader)
            .into_iter()
            .map(|(key, (name, external, _))| (key, Volume { name, external }))
            .collect();
    let around = Surroundings {
        variables,
        policy,
        networks: &networks,
        volumes: &volumes,
    };
    let mut written: Vec<(String, Service)> = Vec::new(); // in the order written, for messages
    for (key, node) in reader.any_mapping(at("services"), "services").iter() {
        let path = child("services", key);
        if !NAME.is_match(key) {
            reader.problem(&path, "the name", NAME_RULE);
        }
        let service = read_service(node, &path, &around, reader);
        written.push((key.to_owned(), service));
    }
    if written.is_empty() {
        reader.problem("services", "empty", "at least one service");
    }
    let order: Vec<String> = written.iter().map(|(key, _)| key.clone()).collect();
    let services: BTreeMap<String, Service> = written.into_iter().collect();
    check_dependencies(&order, &services, reader);
    if services
        .values()
        .any(|service| service.networks.contains_key("default"))
    {
        networks
            .entry("default".to_owned())
            .or_insert_with(|| Network {
                name: format!("{name}_default"),
                external: false,
                internal: false,
            });
    }
    Project {
        name,
        services,
        networks,
        volumes,
    }
}

/// Read the top-level networks or volumes: key to name in the engine, external, internal.
fn shared(
    node: &Node,
    path: &str,
    driver: &str,
    project: &str,
    reader: &mut Reader,
) -> BTreeMap<String, (String, bool, bool)> {
    let all = ["driver", "external", "internal", "name"];
    let without_internal = ["driver", "external", "name"];
    let is_network = path == "networks";
    let allowed: &[&str] = if is_network { &all } else { &without_internal };
    let mut found = BTreeMap::new();
    for (key, value) in reader.any_mapping(node, path).iter() {
        let place = child(path, key);
        if !NAME.is_match(key) {
            reader.problem(&place, "the name", NAME_RULE);
        }
        let fields = reader.mapping(value, &place, allowed);
        if let Some(given) = fields.find("driver")
            && given.as_text() != Some(driver)
        {
            reader.problem(&format!("{place}.driver"), show(given), driver);
        }
        let external = reader.boolean(fields.get("external"), &format!("{place}.external"));
        let name = match fields.get("name") {
            Node::Null if external => key.to_owned(),
            Node::Null => format!("{project}_{key}"),
            own => reader.text(own, &format!("{place}.name"), NAME_RULE, Some(&NAME)),
        };
        let internal =
            is_network && reader.boolean(fields.get("internal"), &format!("{place}.internal"));
        found.insert(key.to_owned(), (name, external, internal));
    }
    found
}

fn check_dependencies(order: &[String], services: &BTreeMap<String, Service>, reader: &mut Reader) {
    for name in order {
        for (other, condition) in &services[name].depends_on {
            let place = child(&format!("{}.depends_on", child("services", name)), other);
            let Some(target) = services.get(other) else {
                let expected = format!("one of {}", order.join(", "));
                reader.problem(&place, "no such service", expected);
                continue;
            };
            let ends = target.gate.mode == "none"
                && ["no", "on-failure"].contains(&target.restart.name.as_str());
            if condition == "service_healthy" && target.gate.mode == "none" {
                reader.problem(
                    &place,
                    "waits for the health of a service without a healthcheck",
                    "one",
                );
            } else if condition == "service_completed_successfully" && !ends {
                reader.problem(
                    &place,
                    "waits for the end of a service that is kept running",
                    "x-health: none and restart: no there",
                );
            }
        }
    }
    if reader.problems.is_empty()
        && let Some(cycle) = cycle(services)
    {
        reader.problem(
            "services",
            format!("a cycle in depends_on: {}", cycle.join(" -> ")),
            "no cycle",
        );
    }
}

type Waiting<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn waiting(services: &BTreeMap<String, Service>) -> Waiting<'_> {
    let mut found = Waiting::new();
    for (name, service) in services {
        let known = service
            .depends_on
            .keys()
            .filter(|other| services.contains_key(*other));
        found.insert(name, known.map(String::as_str).collect());
    }
    found
}

/// A cycle, found from the first service in the order of names.
fn cycle(services: &BTreeMap<String, Service>) -> Option<Vec<&str>> {
    let mut left = waiting(services);
    while let Some(free) = left
        .iter()
        .find(|(_, others)| others.is_empty())
        .map(|(n, _)| *n)
    {
        left.remove(free);
        for others in left.values_mut() {
            others.remove(free);
        }
    }
    let mut walk = vec![*left.keys().next()?];
    loop {
        let step = *left[walk[walk.len() - 1]].first()?;
        if let Some(start) = walk.iter().position(|name| *name == step) {
            walk.drain(..start);
            walk.push(step);
            return Some(walk);
        }
        walk.push(step);
    }
}

/// The services so that each comes after what it depends on, by name where free.
///
/// A dependency outside the project, or a cycle, is left out of account: `parse_template` refuses
/// both.
pub fn dependency_order(services: &BTreeMap<String, Service>) -> Vec<String> {
    let mut left = waiting(services);
    let mut order = Vec::with_capacity(left.len());
    while let Some(name) = left
        .iter()
        .find(|(_, others)| others.is_empty())
        .or_else(|| left.iter().next())
        .map(|(name, _)| *name)
    {
        order.push(name.to_owned());
        left.remove(name);
        for others in left.values_mut() {
            others.remove(name);
        }
    }
    order
}
