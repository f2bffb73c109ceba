"""What ``agent_container_orchestrator`` must answer: templates, refusals, plans, requests.

No engine is asked: the vectors run wherever the component is loaded.
"""

from __future__ import annotations

from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]

_TEMPLATE = """
name: selftest
services:
  db:
    image: db:1
    command: sh -c 'sleep ${SECONDS_:-10}'
    healthcheck: {test: "true", interval: 1.5s}
    restart: no
    volumes: [data:/data:ro]
  web:
    image: web:1
    ports: ["8080:80"]
    mem_limit: 64m
    cpus: 0.5
    environment: [A=1, B]
    depends_on: {db: {condition: service_healthy}}
    x-health: none
volumes: {data: }
"""
_BAD = "name: x\nservices:\n  a: {imagee: b, privileged: true, x-health: none}\n"
_PRIVILEGED = (
    "services.a.privileged: true gives the host; expected false, or allow_privileged in the policy"
)


def _project(ns: Any) -> Any:
    return ns.parse_template(_TEMPLATE, {"B": "$two"}, {})


def _parts(ns: Any) -> object:
    project = _project(ns)
    db, web = project["services"]["db"], project["services"]["web"]
    return (
        db["command"],
        db["healthcheck"]["interval_ns"],
        db["restart"],
        web["ports"],
        web["limits"],
        web["environment"],
        project["volumes"],
    )


def _refusal(ns: Any) -> object:
    try:
        ns.parse_template(_BAD, {}, {})
    except ValueError as error:
        lines = str(error).split("\n")
        return len(lines), lines[0][:45], lines[1:]
    return "accepted"


def _plan(ns: Any) -> object:
    project = _project(ns)
    first = ns.plan(project, {"db:1": "sha256:1", "web:1": "sha256:2"}, [])
    labels = ns.container_config(project, "db", "sha256:1")["Labels"]
    running = {
        "name": "selftest-db",
        "service": "db",
        "state": "running",
        "health": "healthy",
        "exit_code": 0,
        "image_id": "sha256:0",
        "config_hash": labels["agentcore.config-hash"],
        "spec": None,
    }
    second = ns.plan(project, {"db:1": "sha256:1", "web:1": "sha256:2"}, [running])
    return [a["action"] for a in first["actions"]], second["actions"][0]["reasons"]


def _sandbox(ns: Any) -> object:
    found = ns.parse_sandbox({"image": "a", "command": ["b"], "timeout": "1.5s"}, {})
    return found["timeout_ns"], found["network"], found["user"], found["memory_bytes"]


VECTORS: tuple[Vector, ...] = (
    Vector(
        "interpolation",
        lambda ns: ns.interpolate("$A ${B:-${A}} $$ ${A:+x}", {"A": "1", "B": ""}),
        "1 1 $ x",
    ),
    Vector(
        "template",
        _parts,
        (
            ["sh", "-c", "sleep 10"],
            1_500_000_000,
            {"name": "no", "max_retries": 0},
            [
                {
                    "host_ip": "127.0.0.1",
                    "host_port": 8080,
                    "container_port": 80,
                    "protocol": "tcp",
                }
            ],
            {"memory_bytes": 67_108_864, "nano_cpus": 500_000_000, "pids": 0},
            {"A": "1", "B": "$two"},
            {"data": {"name": "selftest_data", "external": False}},
        ),
    ),
    Vector(
        "refusal",
        _refusal,
        (
            3,
            "services.a.imagee: unknown key; expected one ",
            [
                "services.a.image: null; expected an image's name or id; builds are not done here",
                _PRIVILEGED,
            ],
        ),
    ),
    Vector(
        "plan",
        _plan,
        (
            ["create", "create"],
            [{"attribute": "image_id", "before": "sha256:0", "after": "sha256:1"}],
        ),
    ),
    Vector(
        "hash",
        lambda ns: ns.container_config(_project(ns), "db", "i")["Labels"]["agentcore.config-hash"],
        "efdd88d4ed9d5ffdd046ce04fe921464cd3be8f422664c70477aa2ec980ce571",
    ),
    Vector("sandbox", _sandbox, (1_500_000_000, False, "65534:65534", 134_217_728)),
)
