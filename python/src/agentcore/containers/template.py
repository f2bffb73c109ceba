"""Templates in Compose syntax: text in, the project out. Pure: no file, no engine, no clock.

The *project* is plain data: name, services, networks and volumes with every default written out,
so a plan is a comparison and two implementations can be compared byte for byte.
"""

from __future__ import annotations

import re
from typing import Any

from agentcore.containers.contract import TemplateError
from agentcore.containers.interpolation import interpolate_tree
from agentcore.containers.mounts import NAME
from agentcore.containers.policy import parse_policy
from agentcore.containers.reading import Reader
from agentcore.containers.service_spec import Surroundings, read_service
from agentcore.containers.values import child, show
from agentcore.containers.yaml_text import load

__all__ = ["PROJECT_NAME", "dependency_order", "parse_template"]

PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.A)
_TOP_KEYS = ("name", "networks", "services", "version", "volumes")
_NAME_RULE = "letters, digits, '_', '.' and '-', at most 63, the first a letter or digit"


def parse_template(text: str, variables: dict[str, str], policy: dict[str, Any]) -> dict[str, Any]:
    """Read, check and normalize a template.

    Args:
        text: YAML in Compose syntax; see ``docs/integration.md`` for the keys.
        variables: what ``${NAME}`` means; the process environment is not read.
        policy: what the template may ask of the host; ``{}`` is the strict default.

    Returns:
        The project: ``name``, ``services``, ``networks``, ``volumes``.

    Raises:
        TemplateError: with every problem found, each with its path.
    """
    checked = parse_policy(policy)
    tree = load(text)
    reader = Reader()
    if not isinstance(tree, dict):
        raise TemplateError([f"template: {show(tree)}; expected a mapping with name and services"])
    for key in tree:
        if key not in _TOP_KEYS and not key.startswith("x-"):
            reader.problem(child("", key), "unknown key", f"one of {', '.join(_TOP_KEYS)} or x-…")
    top = {
        key: interpolate_tree(value, variables, child("", key), reader.problems)
        for key, value in tree.items()
        if not key.startswith("x-")
    }
    if reader.problems:
        raise TemplateError(reader.problems)
    name = reader.text(
        top.get("name"),
        "name",
        "the project's name: a-z, 0-9, '_' and '-', at most 63, the first a letter or digit",
        PROJECT_NAME,
    )
    networks = _shared(top.get("networks"), "networks", name, reader)
    volumes = _shared(top.get("volumes"), "volumes", name, reader)
    around = Surroundings(variables, checked, networks, volumes)
    services: dict[str, Any] = {}
    for key, node in reader.mapping(top.get("services"), "services").items():
        path = child("services", key)
        if not NAME.fullmatch(key):
            reader.problem(path, "the name", _NAME_RULE)
        services[key] = read_service(node, path, around, reader)
    if not services:
        reader.problem("services", "empty", "at least one service")
    _check_dependencies(services, reader)
    if any("default" in service["networks"] for service in services.values()):
        networks.setdefault(
            "default", {"name": f"{name}_default", "internal": False, "external": False}
        )
    if reader.problems:
        raise TemplateError(reader.problems)
    return {"name": name, "services": services, "networks": networks, "volumes": volumes}


def _shared(node: Any, path: str, project: str, reader: Reader) -> dict[str, Any]:
    """Read the top-level networks or volumes."""
    keys = ("driver", "external", "internal", "name")
    drivers = {"networks": "bridge", "volumes": "local"}
    found: dict[str, Any] = {}
    for key, value in reader.mapping(node, path).items():
        place = child(path, key)
        if not NAME.fullmatch(key):
            reader.problem(place, "the name", _NAME_RULE)
        allowed = keys if path == "networks" else tuple(k for k in keys if k != "internal")
        fields = reader.mapping(value, place, allowed)
        driver = fields.get("driver", drivers[path])
        if driver != drivers[path]:
            reader.problem(f"{place}.driver", show(driver), drivers[path])
        external = reader.boolean(fields.get("external"), f"{place}.external")
        default = key if external else f"{project}_{key}"
        own = fields.get("name")
        entry: dict[str, Any] = {
            "name": default if own is None else reader.text(own, f"{place}.name", _NAME_RULE, NAME),
            "external": external,
        }
        if path == "networks":
            entry["internal"] = reader.boolean(fields.get("internal"), f"{place}.internal")
        found[key] = entry
    return found


def _check_dependencies(services: dict[str, Any], reader: Reader) -> None:
    for name, service in services.items():
        for other, condition in sorted(service["depends_on"].items()):
            place = child(f"{child('services', name)}.depends_on", other)
            if other not in services:
                reader.problem(place, "no such service", f"one of {', '.join(services)}")
            elif condition == "service_healthy" and services[other]["gate"]["mode"] == "none":
                reader.problem(
                    place, "waits for the health of a service without a healthcheck", "one"
                )
            elif condition == "service_completed_successfully" and (
                services[other]["gate"]["mode"] != "none"
                or services[other]["restart"]["name"] not in ("no", "on-failure")
            ):
                reader.problem(
                    place,
                    "waits for the end of a service that is kept running",
                    "x-health: none and restart: no there",
                )
    if not reader.problems and (cycle := _cycle(services)):
        reader.problem("services", f"a cycle in depends_on: {' -> '.join(cycle)}", "no cycle")


def _cycle(services: dict[str, Any]) -> list[str] | None:
    """Return a cycle, found from the first service in the order of names, or None."""
    left = {name: set(service["depends_on"]) for name, service in services.items()}
    while ready := [name for name in left if not left[name]]:
        for name in ready:
            del left[name]
        for others in left.values():
            others.difference_update(ready)
    if not left:
        return None
    walk = [min(left)]
    while True:
        step = min(left[walk[-1]])
        if step in walk:
            return [*walk[walk.index(step) :], step]
        walk.append(step)


def dependency_order(services: dict[str, Any]) -> list[str]:
    """Return the services so that each comes after what it depends on, by name where free."""
    order: list[str] = []
    left = {name: set(service["depends_on"]) for name, service in services.items()}
    while left:
        name = min(n for n in left if not left[n])
        order.append(name)
        del left[name]
        for others in left.values():
            others.discard(name)
    return order
