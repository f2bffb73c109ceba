"""Plans: create, recreate, unchanged, remove, with the reason of each. Pure."""

from __future__ import annotations

from typing import Any

import pytest

from agentcore.containers import FastContainerOrchestrator
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_container_orchestrator"
TEMPLATE = """
name: p
services:
  web: {image: w, x-health: none, depends_on: [db], environment: {A: "${A:-1}"}, ports: [80],
        networks: {front: {aliases: [www]}, back: }}
  db: {image: d, x-health: none, volumes: [data:/d], restart: "${R:-no}", networks: [back]}
networks: {front: , back: {internal: true}}
volumes: {data: {name: shared}}
"""
IMAGES = {"w": "sha256:w", "d": "sha256:d"}


@pytest.fixture(scope="module")
def facade(manager: RustIntegrationManager) -> FastContainerOrchestrator:
    return FastContainerOrchestrator(manager=manager)


def running(
    facade: FastContainerOrchestrator, project: dict[str, Any], of: str, **changed: Any
) -> dict[str, Any]:
    """A container as the engine would show it after an apply."""
    import json

    image = IMAGES[project["services"][of]["image"]]
    labels = facade.container_config(project, of, image)["Labels"]
    return {
        "id": "x", "name": f"p-{of}", "service": of, "state": "running", "health": "",
        "exit_code": 0, "image_id": image, "config_hash": labels["agentcore.config-hash"],
        "spec": json.loads(labels["agentcore.spec"]),
    } | changed  # fmt: skip


def test_first_apply_creates_in_order(facade: FastContainerOrchestrator) -> None:
    plan = facade.compare(facade.parse_template(TEMPLATE), IMAGES, [])
    assert [(a["action"], a["container"]) for a in plan["actions"]] == [
        ("create", "p-db"),
        ("create", "p-web"),
    ]
    assert plan["changes"] == 2


def test_unchanged(facade: FastContainerOrchestrator) -> None:
    project = facade.parse_template(TEMPLATE)
    containers = [running(facade, project, name) for name in ("db", "web")]
    plan = facade.compare(project, IMAGES, containers)
    assert plan["changes"] == 0
    assert {action["action"] for action in plan["actions"]} == {"unchanged"}


@pytest.mark.parametrize(
    ("changed", "images", "expected"),
    [
        ({}, {"w": "sha256:new"}, ("image_id", "sha256:w", "sha256:new")),
        ({"state": "exited"}, {}, ("state", "exited", "running")),
        ({"health": "unhealthy"}, {}, ("health", "unhealthy", "healthy")),
        ({"config_hash": "0", "spec": None}, {}, ("config_hash", "0", None)),
    ],
)
def test_recreates_with_a_reason(
    facade: FastContainerOrchestrator,
    changed: dict[str, Any],
    images: dict[str, str],
    expected: tuple[str, Any, Any],
) -> None:
    project = facade.parse_template(TEMPLATE)
    containers = [running(facade, project, "db"), running(facade, project, "web", **changed)]
    action = facade.compare(project, IMAGES | images, containers)["actions"][1]
    assert action["action"] == "recreate"
    (reason,) = action["reasons"]
    assert (reason["attribute"], reason["before"]) == expected[:2]
    assert expected[2] is None or reason["after"] == expected[2]


def test_attributes_are_named_and_secrets_are_not_shown(facade: FastContainerOrchestrator) -> None:
    old = facade.parse_template(TEMPLATE, {"A": "s3cret"})
    new = facade.parse_template(TEMPLATE, {"A": "other", "R": "always"})
    containers = [running(facade, old, name) for name in ("db", "web")]
    plan = facade.compare(new, IMAGES, containers)
    assert plan["actions"][0]["reasons"] == [
        {"attribute": "restart.name", "before": "no", "after": "always"}
    ]
    assert plan["actions"][1]["reasons"] == [
        {"attribute": "environment.A", "before": "(hidden)", "after": "(hidden)"}
    ]
    assert "s3cret" not in str(plan)


def test_what_the_template_dropped_is_removed(facade: FastContainerOrchestrator) -> None:
    project = facade.parse_template(TEMPLATE)
    orphan = running(facade, project, "db", service="old", name="p-old")
    plan = facade.compare(project, IMAGES, [orphan])
    assert [a["action"] for a in plan["actions"]] == ["create", "create", "remove"]
    assert plan["actions"][2]["container"] == "p-old"


def test_gate_and_order_restart_nothing(facade: FastContainerOrchestrator) -> None:
    old = facade.parse_template(TEMPLATE)
    text = TEMPLATE.replace("depends_on: [db], ", "")
    text = text.replace("w, x-health: none", "w, x-health: {mode: none, hold: 9s}")
    new = facade.parse_template(text)
    containers = [running(facade, old, name) for name in ("db", "web")]
    assert facade.compare(new, IMAGES, containers)["changes"] == 0


def test_create_request(facade: FastContainerOrchestrator) -> None:
    project = facade.parse_template(TEMPLATE)
    body = facade.container_config(project, "db", "sha256:d")
    assert body["HostConfig"]["Mounts"] == [
        {"Type": "volume", "Source": "shared", "Target": "/d", "ReadOnly": False}
    ]
    body = facade.container_config(project, "web", "sha256:w")
    assert body["Image"] == "sha256:w"
    assert body["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]
    }
    assert body["HostConfig"]["NetworkMode"] == "p_back"
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"p_back": {"Aliases": ["web"]}}}
    with pytest.raises(KeyError):
        facade.container_config(project, "nope", "x")
