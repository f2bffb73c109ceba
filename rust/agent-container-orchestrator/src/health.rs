//! Reads a service's healthcheck and its gate: how `apply` knows that the service works.

use crate::model::{Gate, Healthcheck};
use crate::node::Node;
use crate::reading::Reader;
use crate::values::{parse_duration, show};

const DEFAULT_TIMEOUT_NS: u64 = 60_000_000_000;
const DEFAULT_HOLD_NS: u64 = 1_000_000_000;

fn duration(node: &Node, path: &str, reader: &mut Reader, default: u64) -> u64 {
    if *node == Node::Null {
        return default;
    }
    node.as_text().and_then(parse_duration).unwrap_or_else(|| {
        reader.problem(
            path,
            show(node),
            "a duration of at most 24h, such as 10s or 1m30s",
        );
        default
    })
}

fn off() -> Healthcheck {
    Healthcheck::Off {
        test: vec!["NONE".to_owned()],
    }
}

/// Read a healthcheck; nothing if there is none.
pub(crate) fn read_healthcheck(
    node: &Node,
    path: &str,
    reader: &mut Reader,
) -> Option<Healthcheck> {
    if *node == Node::Null {
        return None;
    }
    let keys = [
        "disable",
        "interval",
        "retries",
        "start_interval",
        "start_period",
        "test",
        "timeout",
    ];
    let fields = reader.mapping(node, path, &keys);
    if reader.boolean(fields.get("disable"), &format!("{path}.disable")) {
        return Some(off());
    }
    let test = fields.get("test");
    let command = if let Node::Text(line) = test {
        vec!["CMD-SHELL".to_owned(), line.clone()]
    } else {
        let place = format!("{path}.test");
        let command = reader.texts(test, &place, "a command line or a list");
        if command == ["NONE"] {
            return Some(off());
        }
        if command.len() < 2 || !["CMD", "CMD-SHELL"].contains(&command[0].as_str()) {
            reader.problem(
                &place,
                show(test),
                "a command line, or [CMD, program, …] or [CMD-SHELL, line]",
            );
        }
        command
    };
    let mut time = |key: &str| {
        let place = format!("{path}.{key}");
        let value = duration(fields.get(key), &place, reader, 0);
        if value > 0 && value < 1_000_000 {
            reader.problem(&place, show(fields.get(key)), "a duration of 1ms or more");
        }
        value
    };
    let (interval_ns, timeout_ns) = (time("interval"), time("timeout"));
    let (start_period_ns, start_interval_ns) = (time("start_period"), time("start_interval"));
    let retries = match fields.get("retries") {
        Node::Null => 0,
        given => reader.whole(given, &format!("{path}.retries"), 1, 1000),
    };
    Some(Healthcheck::Probe {
        test: command,
        interval_ns,
        timeout_ns,
        start_period_ns,
        start_interval_ns,
        retries,
    })
}

/// Read `x-health`: `none`, `image`, or a mapping with `mode`, `timeout`, `hold`.
pub(crate) fn read_gate(
    node: &Node,
    healthcheck: Option<&Healthcheck>,
    path: &str,
    reader: &mut Reader,
) -> Gate {
    let place = format!("{path}.x-health");
    let short = node.as_text().is_some();
    let fields = reader.mapping(
        if short { &Node::Null } else { node },
        &place,
        &["hold", "mode", "timeout"],
    );
    let default = Node::Text("check".to_owned());
    let written = if short {
        node
    } else {
        fields.find("mode").unwrap_or(&default)
    };
    let mut mode = written.as_text().unwrap_or_default();
    if !["check", "image", "none"].contains(&mode) {
        let spot = if short {
            place.clone()
        } else {
            format!("{place}.mode")
        };
        reader.problem(
            &spot,
            show(written),
            "none, image, or a mapping with mode, timeout, hold",
        );
        mode = "none";
    }
    if mode == "check" && !matches!(healthcheck, Some(Healthcheck::Probe { .. })) {
        reader.problem(
            &format!("{path}.healthcheck"),
            "missing, so nothing would tell a working container from a broken one",
            "a healthcheck, x-health: image, or x-health: none",
        );
    }
    if mode == "image" && healthcheck.is_some() {
        reader.problem(&place, "image beside a healthcheck", "one of the two");
    }
    let mut time =
        |key: &str, default| duration(fields.get(key), &format!("{place}.{key}"), reader, default);
    Gate {
        mode: mode.to_owned(),
        timeout_ns: time("timeout", DEFAULT_TIMEOUT_NS),
        hold_ns: time("hold", DEFAULT_HOLD_NS),
    }
}
