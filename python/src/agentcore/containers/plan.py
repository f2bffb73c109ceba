"""Compares a project with the containers that exist, and writes the engine's create requests.

Pure: the caller looks at the engine. A container carries the specification that made it in a
label, so a difference can be told attribute by attribute without any state besides the engine's.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from agentcore.containers.template import dependency_order

__all__ = [
    "config_hash",
    "container_config",
    "container_name",
    "container_spec",
    "network_config",
    "one_shot",
    "plan",
]

LABEL_PROJECT = "agentcore.project"
LABEL_SERVICE = "agentcore.service"
LABEL_HASH = "agentcore.config-hash"
LABEL_IMAGE = "agentcore.image-id"
LABEL_SPEC = "agentcore.spec"
HIDDEN = "(hidden)"
_NOT_OF_THE_CONTAINER = ("depends_on", "gate", "image")


def canonical(value: Any) -> str:
    """Write JSON in one way only: sorted keys, no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def container_name(project: str, service: str) -> str:
    """Return the name of a service's container."""
    return f"{project}-{service}"


def container_spec(project: dict[str, Any], service: str) -> dict[str, Any]:
    """Return all that makes a service's container what it is, except the image behind its name.

    Names of networks and volumes are those of the engine. How a service is gated and what it waits
    for do not belong: changing them restarts nothing.
    """
    found = {
        key: value
        for key, value in project["services"][service].items()
        if key not in _NOT_OF_THE_CONTAINER
    }
    found["networks"] = {
        project["networks"][name]["name"]: value for name, value in found["networks"].items()
    }
    found["volumes"] = [
        {**mount, "source": project["volumes"][mount["source"]]["name"]}
        if mount["type"] == "volume"
        else mount
        for mount in found["volumes"]
    ]
    return found


def config_hash(project: dict[str, Any], service: str) -> str:
    """Return the SHA-256 of the service's container specification, in hex."""
    return hashlib.sha256(canonical(container_spec(project, service)).encode()).hexdigest()


def one_shot(project: dict[str, Any], service: str) -> bool:
    """Say whether another service waits for this one to end."""
    return any(
        other["depends_on"].get(service) == "service_completed_successfully"
        for other in project["services"].values()
    )


def plan(
    project: dict[str, Any], images: dict[str, str], containers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Say what must be done so that the containers are as the project wants them.

    Args:
        project: what ``parse_template`` returned.
        images: image name as written → image id, for those the engine has.
        containers: one dict a container of the project: ``name``, ``service``, ``state``,
            ``health``, ``exit_code``, ``image_id``, ``config_hash``, ``spec``.

    Returns:
        ``project``, ``changes`` (a count) and ``actions`` in the order of execution, each
        ``service``, ``container``, ``action`` (``create``, ``recreate``, ``unchanged``,
        ``remove``) and ``reasons`` (``attribute``, ``before``, ``after``). Values of environment
        variables are not shown.
    """
    existing = {container["service"]: container for container in containers}
    actions: list[dict[str, Any]] = []
    for name in dependency_order(project["services"]):
        service = project["services"][name]
        image_id = images.get(service["image"])
        current = existing.pop(name, None)
        if current is None:
            action, reasons = "create", [_reason("container", None, service["image"])]
        else:
            reasons = _differences(project, name, image_id, current)
            action = "recreate" if reasons else "unchanged"
        actions.append(_action(name, container_name(project["name"], name), action, reasons))
    for name in sorted(existing):
        reasons = [_reason("service", name, None)]
        actions.append(_action(name, existing[name]["name"], "remove", reasons))
    changes = sum(action["action"] != "unchanged" for action in actions)
    return {"project": project["name"], "changes": changes, "actions": actions}


def _action(service: str, container: str, action: str, reasons: list[Any]) -> dict[str, Any]:
    return {"service": service, "container": container, "action": action, "reasons": reasons}


def _reason(attribute: str, before: Any, after: Any) -> dict[str, Any]:
    return {"attribute": attribute, "before": before, "after": after}


def _differences(
    project: dict[str, Any], name: str, image_id: str | None, current: dict[str, Any]
) -> list[dict[str, Any]]:
    reasons: list[dict[str, Any]] = []
    if current["image_id"] != image_id:
        reasons.append(_reason("image_id", current["image_id"], image_id))
    wanted = config_hash(project, name)
    if current["config_hash"] != wanted:
        before, after = current["spec"], container_spec(project, name)
        if isinstance(before, dict):
            _compare(before, after, "", reasons)
        if not any(reason["attribute"] != "image_id" for reason in reasons):
            reasons.append(_reason("config_hash", current["config_hash"], wanted))
    state, health = current["state"], current["health"]
    if one_shot(project, name):
        if state != "exited" or current["exit_code"] != 0:
            before = f"{state} ({current['exit_code']})" if state == "exited" else state
            reasons.append(_reason("state", before, "exited (0)"))
    elif state != "running":
        reasons.append(_reason("state", state, "running"))
    elif health == "unhealthy":
        reasons.append(_reason("health", health, "healthy"))
    return reasons


def _compare(before: Any, after: Any, path: str, reasons: list[dict[str, Any]]) -> None:
    """Note each attribute that differs; lists are compared whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            _compare(before.get(key), after.get(key), f"{path}.{key}" if path else key, reasons)
    elif before != after:
        if path.startswith("environment."):
            before = None if before is None else HIDDEN
            after = None if after is None else HIDDEN
        reasons.append(_reason(path, before, after))


def container_config(project: dict[str, Any], service: str, image_id: str) -> dict[str, Any]:
    """Return the body of the engine's create request for a service's container.

    The engine's API before 1.44 takes one network here; the others are connected afterwards.
    """
    spec = container_spec(project, service)
    host: dict[str, Any] = {
        "CapAdd": spec["cap_add"],
        "CapDrop": spec["cap_drop"],
        "Init": spec["init"],
        "IpcMode": spec["ipc"],
        "Memory": spec["limits"]["memory_bytes"],
        "MemorySwap": spec["limits"]["memory_bytes"],
        "Mounts": [
            {
                "Type": mount["type"],
                "Source": mount["source"],
                "Target": mount["target"],
                "ReadOnly": mount["read_only"],
            }
            for mount in spec["volumes"]
        ],
        "NanoCpus": spec["limits"]["nano_cpus"],
        "NetworkMode": spec["network_mode"] or min(spec["networks"], default=""),
        "PidMode": spec["pid"],
        "PortBindings": {},
        "Privileged": spec["privileged"],
        "ReadonlyRootfs": spec["read_only"],
        "RestartPolicy": {
            "Name": spec["restart"]["name"],
            "MaximumRetryCount": spec["restart"]["max_retries"],
        },
        "SecurityOpt": spec["security_opt"],
        "Tmpfs": spec["tmpfs"],
    }
    if spec["limits"]["pids"]:
        host["PidsLimit"] = spec["limits"]["pids"]
    for port in spec["ports"]:
        key = f"{port['container_port']}/{port['protocol']}"
        written = str(port["host_port"]) if port["host_port"] else ""
        binding = {"HostIp": port["host_ip"], "HostPort": written}
        host["PortBindings"].setdefault(key, []).append(binding)
    body: dict[str, Any] = {
        "Image": image_id,
        "Env": [f"{key}={value}" for key, value in sorted(spec["environment"].items())],
        "ExposedPorts": {key: {} for key in host["PortBindings"]},
        "HostConfig": host,
        "Labels": {
            **spec["labels"],
            LABEL_PROJECT: project["name"],
            LABEL_SERVICE: service,
            LABEL_HASH: config_hash(project, service),
            LABEL_IMAGE: image_id,
            LABEL_SPEC: canonical(spec),
        },
        "StopTimeout": -(-spec["stop_grace_ns"] // 1_000_000_000),
        "User": spec["user"],
        "WorkingDir": spec["working_dir"],
    }
    for key, name in (("command", "Cmd"), ("entrypoint", "Entrypoint")):
        if spec[key] is not None:
            body[name] = spec[key]
    if (check := spec["healthcheck"]) is not None:
        body["Healthcheck"] = _healthcheck(check)
    if spec["networks"]:
        first = min(spec["networks"])
        body["NetworkingConfig"] = {
            "EndpointsConfig": {first: network_config(spec["networks"][first], service)}
        }
    return body


def network_config(network: dict[str, Any], service: str) -> dict[str, Any]:
    """Return the endpoint settings of a service in one of its networks."""
    return {"Aliases": [service, *(a for a in network["aliases"] if a != service)]}


def _healthcheck(check: dict[str, Any]) -> dict[str, Any]:
    if check["test"] == ["NONE"]:
        return {"Test": ["NONE"]}
    names = {
        "Interval": "interval_ns",
        "Timeout": "timeout_ns",
        "StartPeriod": "start_period_ns",
        "Retries": "retries",
    }
    body = {"Test": check["test"]} | {name: check[key] for name, key in names.items()}
    if check["start_interval_ns"]:
        body["StartInterval"] = check["start_interval_ns"]  # engines before 25 ignore it
    return body
