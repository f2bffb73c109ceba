"""Twin and native must agree on any template: same project, same words of refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentcore.containers import FastContainerOrchestrator, TemplateError
from agentcore.containers.service_spec import SERVICE_KEYS
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_container_orchestrator"
Pair = tuple[FastContainerOrchestrator, FastContainerOrchestrator]
RUNS = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

WORDS = st.sampled_from(
    ["", "a", "b", "no", "true", "host", "none", "80", "8080:80/udp", "64m", "0.5", "1.5g", "10s",
     "1m30s", "/x", "/x/../y:/z", "/etc:/x:ro", "v:/data", "v:/data:ro", "A=1", "A", "B=", "${A}",
     "${Z:-d}", "${Z:?say}", "${", "$$", "$A$", "é ü", "'q q'", "\"q", "a\\", "ALL", "CAP_KILL",
     "SYS_ADMIN", "on-failure:2", "10001:10001", "seccomp=unconfined", "no-new-privileges:true",
     "CMD", "CMD-SHELL", "NONE", "service_healthy", "service_completed_successfully", "image",
     "/tmp:size=1m", "127.0.0.1:1:2", "[::1]:1:2", "agentcore.x", "\x00", "\U0001f600" * 61]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(-3, 70_000),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
INNER_KEYS = st.sampled_from(
    ["test", "interval", "retries", "disable", "condition", "aliases", "target", "published",
     "source", "type", "read_only", "resources", "limits", "memory", "cpus", "pids", "mode",
     "timeout", "hold", "host_ip", "protocol", "a", "b", "v", "n", "odd key", "external", "name"]
)  # fmt: skip
NODES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER_KEYS, inner, max_size=4),
    max_leaves=8,
)
SERVICES = st.dictionaries(st.sampled_from([*SERVICE_KEYS, "imagee"]), NODES, max_size=5).map(
    lambda service: {"image": "i", "x-health": "none"} | service
)
TEMPLATES = st.fixed_dictionaries(
    {
        "name": st.just("p"),
        "services": st.dictionaries(st.sampled_from("abc"), SERVICES, min_size=1),
    },
    optional={"volumes": st.just({"v": None}) | NODES, "networks": st.just({"n": None}) | NODES,
              "odd": SCALARS},
)  # fmt: skip
VARIABLES = st.dictionaries(st.sampled_from(["A", "B"]), st.text(max_size=4), max_size=2)


@pytest.fixture(scope="module")
def pair(both: tuple[RustIntegrationManager, RustIntegrationManager]) -> Pair:
    twin, native = (FastContainerOrchestrator(manager=one) for one in both)
    assert (twin.implementation, native.implementation) == ("python", "native")
    return twin, native


def outcome(facade: FastContainerOrchestrator, name: str, *args: Any) -> tuple[str, Any]:
    try:
        return "value", getattr(facade, name)(*args)
    except TemplateError as error:
        return "refused", error.problems


def agree(pair: Pair, name: str, *args: Any) -> tuple[str, Any]:
    twin, native = (outcome(one, name, *args) for one in pair)
    assert native == twin
    return twin


@RUNS
@given(template=TEMPLATES, variables=VARIABLES)
@example(template={"name": "p", "services": {"a": {"image": "i", "networks": []}}}, variables={})
def test_templates(pair: Pair, template: dict[str, Any], variables: dict[str, str]) -> None:
    kind, project = agree(pair, "parse_template", json.dumps(template), variables)
    if kind == "refused":
        return
    for service in project["services"]:
        agree(pair, "container_config", project, service, "sha256:x")
    agree(pair, "compare", project, {"i": "sha256:x"}, [])


ATOMS = st.sampled_from(
    ["0", "-0", "+1", "007", "0x1F", "-0x1f", "0o17", "0b11", "1_000", "1.", ".5", "1e3", "+.5e-2",
     "inf", ".inf", "-.INF", ".nan", "~", "null", "Null", "yes", "on", "True", "FALSE", "=", "<<",
     "22:22", "2001-01-01", "1.10", "0.00001", "1e15", "9223372036854775807",
     "9223372036854775808", "-9223372036854775808", "1" * 40, "a b", "'x'", '"\\u00e9"', "|\n  x",
     ">\n  y", "[a, b]", "{a: 1}", "&x 1", "*x", "!!str 1", "!!int 3", "!y 1", "# c", "a: b", "- a",
     "\t", "%", "@", "`", "?", "\u2028", "\u00a0"]
)  # fmt: skip


@RUNS
@given(values=st.lists(ATOMS, min_size=1, max_size=4), indent=st.sampled_from(["", " "]))
@example(values=["*x", "a: b"], indent="")  # two faults: the first one is told
@example(values=["a: b", "*x"], indent="")
@example(values=["!!int 3.5", "a: b"], indent="")
@example(values=["*x", "0\n---\n1"], indent="")
def test_yaml_scalars(pair: Pair, values: list[str], indent: str) -> None:
    """What a scalar is, and whether YAML is YAML at all, is the same question to both."""
    lines = "".join(f"{indent}      K{index}: {value}\n" for index, value in enumerate(values))
    head = "name: p\nservices:\n  a:\n    image: i\n    x-health: none\n"
    agree(pair, "parse_template", f"{head}    environment:\n{lines}", {})


@pytest.mark.parametrize("depth", [20, 40, 120, 124, 125, 126, 127, 140])
@pytest.mark.parametrize("after", ["", "    y: a: b\n", "    y: *x\n"])
def test_deep_nesting_and_a_fault_after_it(pair: Pair, depth: int, after: str) -> None:
    nest = "[" * depth + "]" * depth
    text = f"name: p\nservices:\n  a:\n    image: i\n    x-q: {nest}\n{after}"
    agree(pair, "parse_template", text, {})


@RUNS
@given(text=st.text(alphabet="ab:-[]{}\n '\"#&*!|>%@,?\t$<", max_size=30))
def test_any_text(pair: Pair, text: str) -> None:
    agree(pair, "parse_template", text, {})


@RUNS
@given(text=st.text(alphabet='A${}:-?+ é"', max_size=20), variables=VARIABLES)
def test_interpolation(pair: Pair, text: str, variables: dict[str, str]) -> None:
    agree(pair, "interpolate", text, variables)


SANDBOX_KEYS = st.sampled_from(
    ["command", "cpus", "environment", "image", "memory", "network", "output_limit", "pids",
     "stdin", "timeout", "tmpfs_size", "user", "working_dir", "odd"]
)  # fmt: skip


@RUNS
@given(request=st.dictionaries(SANDBOX_KEYS, NODES, max_size=4))
@example(request={"cpus": 2**63})
@example(request={"cpus": -(2**63) - 1, "memory": 2**64})
@example(request={"cpus": 2**63 - 1})
@example(request={"cpus": -(2**63)})
def test_sandbox_requests(pair: Pair, request: dict[str, Any]) -> None:
    agree(pair, "parse_sandbox", {"image": "i"} | request)
