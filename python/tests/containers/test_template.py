"""Templates: what is read, what is refused and in which words. Pure; both implementations."""

from __future__ import annotations

from typing import Any

import pytest

from agentcore.containers import FastContainerOrchestrator, TemplateError
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_container_orchestrator"
LAUGHS = "a: &a [1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcde", "bcdef", strict=True)
)
"""Each line is ten times the line before: 100,000 values in 200 bytes."""


@pytest.fixture(scope="module")
def facade(manager: RustIntegrationManager) -> FastContainerOrchestrator:
    return FastContainerOrchestrator(manager=manager)


def service(body: str, policy: dict[str, Any] | None = None) -> str:
    return f"name: p\nservices:\n  a: {{image: i, x-health: none, {body}}}\n"


def one(facade: FastContainerOrchestrator, body: str, **variables: str) -> dict[str, Any]:
    found: dict[str, Any] = facade.parse_template(service(body), variables)["services"]["a"]
    return found


def refusal(facade: FastContainerOrchestrator, text: str, **variables: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        facade.parse_template(text, variables)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A-${A}", "1-1"),
        ("$$A $${A}", "$A ${A}"),
        ("${E:-d} ${E-d} ${U:-d} ${U-d}", "d  d d"),
        ("${A:+x} ${E:+x} ${E+x} ${U+x}", "x  x "),
        ("${U:-${A:-z}}", "1"),
        ("${A:-${U}}", "1"),  # a default that is not needed need not be possible
        ("${A:?never}", "1"),
    ],
)
def test_interpolation(facade: FastContainerOrchestrator, text: str, expected: str) -> None:
    assert facade.interpolate(text, {"A": "1", "E": ""}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$U", "text: variable U is not set; expected a value or a default, ${U:-…}"),
        ("${U:?name it}", 'text: variable U is not set ("name it"); expected a value'),
        ("${E:?}", "text: variable E is not set; expected a value"),
        ("${U", 'text: a dollar sign in "${U" starts nothing known; expected $NAME, ${NAME}, '),
        ("a $ b", 'text: a dollar sign in "a $ b" starts nothing known'),
        ("${1}", 'text: a dollar sign in "${1}" starts nothing known'),
        ("${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A}}}}}}}}}}", "text: variables nested"),
    ],
)
def test_interpolation_refuses(facade: FastContainerOrchestrator, text: str, expected: str) -> None:
    with pytest.raises(TemplateError) as caught:
        facade.interpolate(text, {"A": "1", "E": ""})
    assert str(caught.value).startswith(expected)


def test_values_are_not_parsed_as_yaml(facade: FastContainerOrchestrator) -> None:
    """A variable can't change the structure of a template."""
    text = 'name: p\nservices:\n  a:\n    image: i\n    x-health: none\n    user: "${U}"\n'
    problems = refusal(facade, text, U="1\n    privileged: true")
    assert problems == ['services.a.user: "1\\n    privileged: true"; expected user or user:group']


def test_defaults_are_written_out(facade: FastContainerOrchestrator) -> None:
    found = one(facade, "ports: [80]")
    assert found == {
        "image": "i", "command": None, "entrypoint": None, "environment": {},
        "ports": [
            {"host_ip": "127.0.0.1", "host_port": 0, "container_port": 80, "protocol": "tcp"}
        ],
        "volumes": [], "tmpfs": {}, "healthcheck": None,
        "limits": {"memory_bytes": 0, "nano_cpus": 0, "pids": 0},
        "depends_on": {}, "network_mode": "", "networks": {"default": {"aliases": []}},
        "user": "", "read_only": False, "init": False, "privileged": False, "pid": "", "ipc": "",
        "cap_drop": [], "cap_add": [], "security_opt": [], "labels": {},
        "restart": {"name": "no", "max_retries": 0}, "working_dir": "",
        "stop_grace_ns": 10_000_000_000,
        "gate": {"mode": "none", "timeout_ns": 60_000_000_000, "hold_ns": 1_000_000_000},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        ("command: a 'b c' \"d \\\" e\" f\\ g ''", "command", ["a", "b c", 'd " e', "f g", ""]),
        ("command: [a, 1, true, 0.5]", "command", ["a", "1", "true", "0.5"]),
        ("environment: {A: 1.50, B: 010, C: yes, D: 0x10}", "environment",
         {"A": "1.5", "B": "010", "C": "yes", "D": "16"}),
        ("environment: [V, W=x=y]", "environment", {"V": "v", "W": "x=y"}),
        ("environment: {V: , X: ''}", "environment", {"V": "v", "X": ""}),
        ("mem_limit: 1.5g", "limits",
         {"memory_bytes": 1_610_612_736, "nano_cpus": 0, "pids": 0}),
        ("deploy: {resources: {limits: {memory: 64m, cpus: '0.25', pids: 5}}}", "limits",
         {"memory_bytes": 67_108_864, "nano_cpus": 250_000_000, "pids": 5}),
        ("restart: no", "restart", {"name": "no", "max_retries": 0}),
        ("restart: on-failure:3", "restart", {"name": "on-failure", "max_retries": 3}),
        ("cap_drop: [all, CAP_CHOWN, chown]", "cap_drop", ["ALL", "CHOWN"]),
        ("security_opt: [no-new-privileges]", "security_opt", ["no-new-privileges:true"]),
        ("tmpfs: '/run:size=1m,mode=1777'", "tmpfs", {"/run": "size=1m,mode=1777"}),
        ("working_dir: /a//b/../c/.", "working_dir", "/a/c"),
        ("read_only: '${V:+true}'", "read_only", True),
        ("user: 10001", "user", "10001"),
        ("ports: ['[::1]:81:80/udp']", "ports",
         [{"host_ip": "::1", "host_port": 81, "container_port": 80, "protocol": "udp"}]),
        ("stop_grace_period: 1m1.5s", "stop_grace_ns", 61_500_000_000),
        ("networks: []", "networks", {"default": {"aliases": []}}),
        ("networks: {}", "networks", {"default": {"aliases": []}}),
    ],
)  # fmt: skip
def test_reads(facade: FastContainerOrchestrator, body: str, key: str, expected: object) -> None:
    assert one(facade, body, V="v")[key] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("imagee: x", "services.a.imagee: unknown key; expected one of cap_add, "),
        ("privileged: true", "services.a.privileged: true gives the host; expected false"),
        ("pid: host", "services.a.pid: the host's namespace; expected no such key"),
        ("network_mode: host", "services.a.network_mode: the host's network; expected none"),
        ("network_mode: 'container:x'", 'services.a.network_mode: "container:x"; expected none'),
        ("volumes: ['/var/run/docker.sock:/s']",
         'services.a.volumes[0]: "/var/run/docker.sock" holds the engine\'s socket'),
        ("volumes: ['/:/host:ro']", 'services.a.volumes[0]: "/" holds the engine\'s socket'),
        ("volumes: ['/srv/../run:/x']", 'services.a.volumes[0]: "/run" holds the engine\'s'),
        ("volumes: ['/etc:/x']", 'services.a.volumes[0]: host path "/etc" is not allowed'),
        ("volumes: ['./x:/x']", 'services.a.volumes[0]: host path "./x"; expected an absolute'),
        ("volumes: ['v:/x']", 'services.a.volumes[0]: volume "v" is not declared'),
        ("cap_add: [SYS_ADMIN]", "services.a.cap_add: capability SYS_ADMIN is not allowed"),
        ("cap_add: [ALL]", "services.a.cap_add: capability ALL is not allowed"),
        ("security_opt: ['seccomp=unconfined']",
         'services.a.security_opt[0]: "seccomp=unconfined"; expected confinement'),
        ("ports: ['1-2:3-4']", 'services.a.ports[0]: "1-2:3-4"; expected [host_ip:]'),
        ("ports: ['300.1.1.1:1:1']", 'services.a.ports[0]: "300.1.1.1:1:1"; expected'),
        ("ports: [70000]", "services.a.ports[0]: 70000; expected [host_ip:]"),
        ("mem_limit: 5m", 'services.a.mem_limit: "5m"; expected a size of 6m or more'),
        ("cpus: 0", "services.a.cpus: 0; expected a number of processors"),
        ("pids_limit: -1", "services.a.pids_limit: -1; expected a whole number from 1"),
        ("environment: {A: 1e300}", "services.a.environment.A: a number; expected a text"),
        ("environment: {A: 99999999999999999999}", "services.a.environment.A: a number; exp"),
        ("environment: [NOPE]", 'services.a.environment[0]: variable "NOPE" is not set'),
        ("labels: {agentcore.x: y}", 'services.a.labels["agentcore.x"]: a reserved label'),
        ("command: \"a 'b\"", "services.a.command: \"a 'b\" has an open quote"),
        ("depends_on: [b]", "services.a.depends_on.b: no such service; expected one of a"),
        ("networks: [n]", 'services.a.networks: network "n" is not declared'),
        ("restart: sometimes", 'services.a.restart: "sometimes"; expected no, always'),
        ("deploy: {replicas: 2}", "services.a.deploy.replicas: unknown key; expected one of"),
        ("stop_grace_period: 10", "services.a.stop_grace_period: 10; expected a duration"),
        ("build: .", "services.a.build: unknown key"),
    ],
)  # fmt: skip
def test_refuses(facade: FastContainerOrchestrator, body: str, expected: str) -> None:
    problems = refusal(facade, service(body))
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_policy_is_data(manager: RustIntegrationManager) -> None:
    policy = {
        "allow_privileged": True, "allow_host_network": True, "allow_engine_socket": True,
        "bind_mounts": ["/srv/data", "/var/run/docker.sock"], "cap_add": ["cap_net_admin"],
    }  # fmt: skip
    facade = FastContainerOrchestrator(policy=policy, manager=manager)
    body = (
        "privileged: true, network_mode: host, cap_add: [NET_ADMIN], "
        "volumes: ['/srv/data/x:/x', '/var/run/docker.sock:/s:ro']"
    )
    found = one(facade, body)
    assert (found["privileged"], found["network_mode"]) == (True, "host")
    assert [mount["source"] for mount in found["volumes"]] == [
        "/srv/data/x",
        "/var/run/docker.sock",
    ]
    assert refusal(facade, service("volumes: ['/srv/database:/x']"))
    assert refusal(facade, service("cap_add: [NET_RAW]"))  # the list replaces the default


@pytest.mark.parametrize("policy", [{"allow_everything": True}, {"bind_mounts": ["x"]}])
def test_bad_policy_is_refused(manager: RustIntegrationManager, policy: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match=r"^policy\."):
        FastContainerOrchestrator(policy=policy, manager=manager)


def test_a_gate_is_needed(facade: FastContainerOrchestrator) -> None:
    assert refusal(facade, "name: p\nservices: {a: {image: i}}")[0].startswith(
        "services.a.healthcheck: missing, so nothing would tell a working container from a broken"
    )
    text = "name: p\nservices: {a: {image: i, healthcheck: {test: [NONE]}}}"
    assert refusal(facade, text)[0].startswith("services.a.healthcheck: missing")
    found = facade.parse_template(
        "name: p\nservices: {a: {image: i, x-health: {mode: image, timeout: 5s, hold: 0s}}}"
    )["services"]["a"]["gate"]
    assert found == {"mode": "image", "timeout_ns": 5_000_000_000, "hold_ns": 0}


def test_dependencies(facade: FastContainerOrchestrator) -> None:
    text = "name: p\nservices:\n" + "".join(
        f"  {name}: {{image: i, x-health: none, depends_on: [{other}]}}\n"
        for name, other in (("a", "b"), ("b", "c"), ("c", "b"))
    )
    assert refusal(facade, text) == [
        "services: a cycle in depends_on: b -> c -> b; expected no cycle"
    ]
    text = service("depends_on: {b: {condition: service_healthy}}") + (
        "  b: {image: i, x-health: none}\n"
    )
    assert refusal(facade, text)[0].startswith(
        "services.a.depends_on.b: waits for the health of a service without a healthcheck"
    )


def test_merge_and_anchors(facade: FastContainerOrchestrator) -> None:
    text = (
        "name: p\nx-base: &b {image: i, x-health: none, user: '1'}\n"
        "x-more: &m {user: '2', init: true}\n"
        "services:\n  a: {<<: [*b, *m], read_only: true}\n"
    )
    found = facade.parse_template(text)["services"]["a"]
    assert (found["image"], found["user"], found["init"], found["read_only"]) == (
        "i",
        "1",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "template: null; expected a mapping with name and services"),
        ("- a", "template: a list; expected a mapping"),
        ("a: [", "template: not valid YAML at line 2; expected one YAML document"),
        ("a: 1\na: 2", "a: written twice; expected once"),
        ("a: *b", "template: an alias names no anchor before it"),
        ("a: !x 1", "a: a tag; expected a plain value"),
        ("--- 1\n--- 2", "template: more than one document; expected one YAML document"),
        ("a: \x07", "template: character U+0007 at line 1; expected printable text"),
        ("a: \ud800", "template: character U+D800 at line 1; expected printable text"),
        ("? [a]\n: b", "template: a key is a list; expected a text key"),
        ("a: " + "[" * 50 + "]" * 50, "template: too large; expected at most 10000 values"),
        (LAUGHS, "template: too large; expected at most"),
        ("a: &a [*a]", "template: too large; expected at most"),
        ("x" * 300_000, "template: too long; expected at most 262144 bytes"),
        ("name: P\nservices: {}", 'name: "P"; expected the project\'s name'),
    ],
)  # fmt: skip
def test_bad_yaml(facade: FastContainerOrchestrator, text: str, expected: str) -> None:
    assert refusal(facade, text)[0].startswith(expected)


def test_sandbox_requests(facade: FastContainerOrchestrator) -> None:
    found = facade.parse_sandbox({"image": "i", "command": ["a", 1], "memory": "64m"})
    assert (found["command"], found["memory_bytes"], found["pids"]) == (["a", "1"], 67_108_864, 64)
    with pytest.raises(TemplateError) as caught:
        facade.parse_sandbox(
            {"image": "i", "network": True, "memory": "9g", "pids": 0, "timeout": "1h", "x": 1}
        )
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "sandbox.x: unknown key",
        'sandbox.memory: "9g"',
        'sandbox.timeout: "1h"',
        "sandbox.pids: 0",
        "sandbox.network: true",
    ]
