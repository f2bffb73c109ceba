# Apache-2.0 (see LICENSE)
"""The gate against real containers: what passes, what fails at once, and what the evidence holds."""

from __future__ import annotations

import time
import uuid

import pytest
from ansible.module_utils import health_gate
from ansible.module_utils.container_spec import create_body

TIMINGS = {"first_success": 8, "hold": 1.5, "poll": 0.2}


@pytest.fixture
def container(engine, test_image):
    """Starts a container from a shell line; removes it after the test."""
    names = []

    def start(line, healthcheck="exit 0", **spec):
        name = "actest-gate-%s" % uuid.uuid4().hex[:8]
        names.append(name)
        spec.update(image=test_image, command=["/bin/sh", "-c", line], restart=spec.get("restart", "no"))
        if healthcheck:
            spec["healthcheck"] = {
                "test": ["CMD", "/bin/sh", "-c", healthcheck], "interval": 1, "retries": 2, "start_period": 0,
            }
        engine.create(name, create_body(spec, test_image, "gate", "r1"))
        engine.start(name)
        return name

    yield start
    for name in names:
        engine.remove(name)


def refused(engine, name, hold=TIMINGS["hold"], **more):
    began = time.monotonic()
    with pytest.raises(health_gate.GateFailure) as failure:
        health_gate.gate(engine, name, timings=dict(TIMINGS, hold=hold), **more)
    return str(failure.value), time.monotonic() - began


def test_a_healthy_container_passes_after_it_has_held(engine, container):
    passed = health_gate.gate(engine, container("busybox sleep 60"), timings=TIMINGS)
    assert passed["seconds"] >= passed["first_success"] + TIMINGS["hold"] - 0.3


def test_a_missing_healthcheck_is_refused_at_once(engine, container):
    why, seconds = refused(engine, container("busybox sleep 60", healthcheck=None))
    assert "no healthcheck" in why
    assert seconds < 2


def test_an_exit_is_refused_at_once_with_its_code(engine, container):
    why, seconds = refused(engine, container("busybox sleep 0.5; exit 7"))
    assert "exited with code 7" in why
    assert seconds < 4


def test_a_restart_within_the_gate_is_refused(engine, container):
    why, _seconds = refused(engine, container("busybox sleep 2; exit 3", restart="unless-stopped"))
    assert "restarted" in why or "exited" in why


def test_unhealthy_is_refused_when_it_is_known_and_says_what_the_probe_said(engine, container):
    why, seconds = refused(engine, container("busybox sleep 60", healthcheck="echo no database; exit 1"))
    assert "unhealthy" in why
    assert "no database" in why
    assert seconds < TIMINGS["first_success"]


def test_health_that_comes_and_goes_is_refused(engine, container):
    name = container(
        "busybox sleep 60", healthcheck="busybox test -e /tmp/seen && exit 1; busybox touch /tmp/seen", tmpfs=["/tmp"]
    )
    why, _seconds = refused(engine, name, hold=6)
    assert "healthy" in why


def test_a_service_that_answers_wrongly_is_refused_though_docker_calls_it_healthy(engine, container):
    # busybox's httpd serves a file as /readyz; the container has the host's network so that the gate reaches it.
    port = 18971
    line = (
        "busybox mkdir /tmp/www; echo '{\"components\": {\"a\": {\"state\": \"broken\", \"reason\": \"killed\"}}}' > /tmp/www/readyz;"
        "exec busybox httpd -f -p 127.0.0.1:%d -h /tmp/www" % port
    )
    name = container(line, network="host")
    expect = {"target": "http://127.0.0.1:%d/readyz" % port, "json": {"components.*.state": "native"}}
    why, seconds = refused(engine, name, expect=expect)
    assert "components.a.state is 'broken', expected 'native' (killed)" in why
    assert seconds < 4
    passed = health_gate.gate(
        engine, name, timings=TIMINGS, expect={"target": expect["target"], "json": {"components.a.state": "broken"}}
    )
    assert passed["probe"]["status"] == 200


def test_the_evidence_holds_log_health_and_inspect(engine, container):
    name = container("echo the reason is here; exit 4")
    time.sleep(1)
    found = health_gate.evidence(engine, name)
    assert "the reason is here" in found["log"]
    assert found["inspect"]["State"]["ExitCode"] == 4


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ({"status": "ready"}, ""),
        ({"status": "no"}, "status is 'ready', expected 'no'"),
        ({"components.*.state": "native"}, "components.b.state is 'broken', expected 'native' (why)"),
        ({"gone.deep": 1}, "gone.deep is None, expected 1"),
        ({"empty.*.x": 1}, "empty.*.x is missing, expected 1"),
    ],
)
def test_mismatch_says_where_and_what(expected, why):
    document = {
        "status": "ready",
        "components": {"a": {"state": "native"}, "b": {"state": "broken", "reason": "why"}},
        "empty": {},
    }
    assert health_gate.mismatch(document, expected) == why


@pytest.mark.parametrize("target", ["ftp://x", "http://nohost", "unix:/run/x.sock", "unix::/x"])
def test_a_target_that_cannot_be_probed_is_an_error(target):
    with pytest.raises(ValueError, match="PATH"):
        health_gate.split_target(target)
