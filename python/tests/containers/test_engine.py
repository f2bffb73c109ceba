"""Against a real engine: apply, gate, rollback, status, remove, sandbox. Both implementations."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentcore.containers import EngineError, FastContainerOrchestrator, TemplateError
from agentcore.integration import RustIntegrationManager

if TYPE_CHECKING:
    from tests.containers.conftest import TestEngine

COMPONENT = "agent_container_orchestrator"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def facade(
    engine: TestEngine, manager: RustIntegrationManager, tmp_path: Path
) -> FastContainerOrchestrator:
    return FastContainerOrchestrator(engine.docker, str(tmp_path / "state"), manager=manager)


@pytest.fixture
def template(engine: TestEngine, project_name: str) -> str:
    """A database with a healthcheck, and a client that waits for it; a network and a volume."""
    return f"""
name: {project_name}
x-base: &base {{image: "{engine.image}", init: true, cap_drop: [ALL], read_only: true}}
services:
  db:
    <<: *base
    command: [sh, -c, "touch /data/up && exec sleep 1000"]
    user: "0:0"
    volumes: ["data:/data"]
    mem_limit: 32m
    pids_limit: 20
    healthcheck: {{test: "${{CHECK:-test -e /data/up}}", interval: 300ms, retries: 2}}
  web:
    <<: *base
    command: ["sh", "-c", "${{WEB:-exec sleep 1000}}"]
    environment: {{LEVEL: "${{LEVEL:-1}}"}}
    depends_on: {{db: {{condition: service_healthy}}}}
    x-health: {{mode: none, hold: 300ms}}
volumes: {{data: }}
""".replace("test -e", "ls")


def states(facade: FastContainerOrchestrator, project: str) -> dict[str, str]:
    return {s["service"]: s["state"] for s in facade.status(project)["services"]}


def ids(engine: TestEngine, project: str) -> dict[str, str]:
    found = engine.containers(f"agentcore.project={project}")
    return {item["Names"][0]: item["Id"] for item in found}


def test_life_of_a_project(
    facade: FastContainerOrchestrator, engine: TestEngine, template: str, project_name: str
) -> None:
    first = facade.parse_template(template)
    assert facade.plan(first)["changes"] == 2
    assert [a["service"] for a in facade.apply(first)["actions"]] == ["db", "web"]
    assert states(facade, project_name) == {"db": "running", "web": "running"}
    before = ids(engine, project_name)

    raw = engine.http.request("GET", f"/containers/{project_name}-db/json")
    host = raw["HostConfig"]
    assert (host["Memory"], host["PidsLimit"]) == (33_554_432, 20)
    assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])

    assert facade.apply(first)["changes"] == 0
    assert ids(engine, project_name) == before  # the same containers: nothing was restarted

    second = facade.parse_template(template, {"LEVEL": "2"})
    (action,) = (a for a in facade.apply(second)["actions"] if a["action"] != "unchanged")
    assert (action["service"], action["reasons"][0]["attribute"]) == ("web", "environment.LEVEL")
    after = ids(engine, project_name)
    assert after[f"/{project_name}-db"] == before[f"/{project_name}-db"]
    assert set(after) == set(before)  # the former container is gone
    assert facade.status(project_name)["rollback_possible"]

    facade.rollback(project_name)
    assert facade.plan(first)["changes"] == 0
    facade.rollback(project_name)  # and forth again
    assert facade.plan(second)["changes"] == 0

    removed = facade.remove(project_name)["removed"]
    assert removed == {
        "containers": [f"{project_name}-db", f"{project_name}-web"],
        "networks": [f"{project_name}_default"],
        "volumes": [],
    }
    assert facade.remove(project_name, True)["removed"]["volumes"] == [f"{project_name}_data"]
    with pytest.raises(EngineError) as caught:
        facade.status(project_name)
    assert caught.value.code == "not_found"
    facade.rollback(project_name)  # what was removed can come back
    assert facade.plan(second)["changes"] == 0
    facade.remove(project_name, True)


@pytest.mark.parametrize(
    ("variables", "service", "reason", "log"),
    [
        ({"CHECK": "echo broken && false"}, "db", "unhealthy", ""),
        ({"WEB": "echo boom >&2; exit 3"}, "web", "exited with status 3", "boom\n"),
    ],
)
def test_a_failed_gate_restores_and_keeps_the_evidence(
    facade: FastContainerOrchestrator,
    engine: TestEngine,
    template: str,
    project_name: str,
    variables: dict[str, str],
    service: str,
    reason: str,
    log: str,
) -> None:
    good = facade.parse_template(template)
    facade.apply(good)
    before = ids(engine, project_name)
    with pytest.raises(EngineError) as caught:
        facade.apply(facade.parse_template(template, variables | {"LEVEL": "9"}))
    error = caught.value
    assert error.code == "gate_failed"
    assert str(error) == f"{service}: {reason}; the former state is restored"
    assert (error.details["service"], error.details["log"]) == (service, log)
    assert f"{project_name}-{service}" in error.details["restored"]
    assert error.details["restore_errors"] == []
    if service == "db":
        assert error.details["health"][-1]["exit_code"] == 1
        assert "broken" in error.details["health"][-1]["output"]
    assert ids(engine, project_name) == before  # the very containers of before, running again
    assert states(facade, project_name) == {"db": "running", "web": "running"}
    facade.remove(project_name, True)


def test_a_first_apply_that_fails_leaves_nothing(
    facade: FastContainerOrchestrator, engine: TestEngine, template: str, project_name: str
) -> None:
    with pytest.raises(EngineError, match="web: exited with status 5"):
        facade.apply(facade.parse_template(template, {"WEB": "exit 5"}))
    assert ids(engine, project_name) == {}
    facade.remove(project_name, True)


def test_an_apply_that_was_killed_is_repaired(
    facade: FastContainerOrchestrator, engine: TestEngine, template: str, project_name: str
) -> None:
    good = facade.parse_template(template)
    facade.apply(good)
    web = f"{project_name}-web"
    kept = ids(engine, project_name)[f"/{web}"]
    # What a kill between renaming and gating leaves behind:
    engine.http.request("POST", f"/containers/{web}/stop", {"t": 0})
    engine.http.request("POST", f"/containers/{web}/rename", {"name": f"{web}-previous"})
    body = facade.container_config(good, "web", "x") | {"Image": engine.image}
    engine.http.request("POST", "/containers/create", {"name": web}, body)
    facade.apply(good)
    assert ids(engine, project_name)[f"/{web}"] == kept
    assert states(facade, project_name)["web"] == "running"
    facade.remove(project_name, True)


def test_orphans_go_and_one_shots_are_waited_for(
    facade: FastContainerOrchestrator, engine: TestEngine, project_name: str
) -> None:
    text = f"""
name: {project_name}
services:
  migrate: {{image: "{engine.image}", command: [sh, -c, "sleep 0.3; exit $$CODE"], x-health: none,
            environment: {{CODE: "${{CODE:-0}}"}}}}
  main: {{image: "{engine.image}", command: [sleep, "1000"], init: true,
         x-health: {{mode: none, hold: 0s}},
         depends_on: {{migrate: {{condition: service_completed_successfully}}}}}}
"""
    project = facade.parse_template(text)
    facade.apply(project)
    assert states(facade, project_name) == {"migrate": "exited", "main": "running"}
    assert facade.apply(project)["changes"] == 0
    with pytest.raises(EngineError, match="migrate: exited with status 4"):
        facade.apply(facade.parse_template(text, {"CODE": "4"}))
    assert states(facade, project_name) == {"migrate": "exited", "main": "running"}
    alone = facade.parse_template(
        f'name: {project_name}\nservices:\n  main: {{image: "{engine.image}", '
        "command: [sleep, '1000'], init: true, x-health: {mode: none, hold: 0s}}"
    )
    assert [a["action"] for a in facade.apply(alone)["actions"]] == ["unchanged", "remove"]
    assert states(facade, project_name) == {"main": "running"}
    facade.remove(project_name, True)


def test_missing_image_and_network_change_nothing(
    facade: FastContainerOrchestrator, engine: TestEngine, project_name: str
) -> None:
    text = f"name: {project_name}\nservices: {{a: {{image: {engine.prefix}none, x-health: none}}}}"
    with pytest.raises(EngineError) as caught:
        facade.apply(facade.parse_template(text))
    assert caught.value.code == "image_missing"
    assert caught.value.details == {"images": [f"{engine.prefix}none"]}
    text = (
        f"name: {project_name}\nservices: {{a: {{image: '{engine.image}', x-health: none, "
        f"networks: [n]}}}}\nnetworks: {{n: {{external: true, name: {engine.prefix}no-net}}}}"
    )
    with pytest.raises(EngineError, match=r"external network .* does not exist") as caught:
        facade.apply(facade.parse_template(text))
    assert caught.value.code == "not_found"
    assert ids(engine, project_name) == {}


def test_one_change_at_a_time(
    facade: FastContainerOrchestrator, template: str, project_name: str
) -> None:
    slow = facade.parse_template(template.replace("hold: 300ms", "hold: 3s"))
    thread = threading.Thread(target=facade.apply, args=(slow,))
    thread.start()
    time.sleep(0.5)
    with pytest.raises(EngineError) as caught:
        facade.remove(project_name)
    thread.join()
    assert caught.value.code == "busy"
    facade.remove(project_name, True)


def test_no_engine(manager: RustIntegrationManager, tmp_path: Path) -> None:
    gone = FastContainerOrchestrator(f"unix://{tmp_path}/no.sock", str(tmp_path), manager=manager)
    for call in (gone.ping, lambda: gone.status("p"), lambda: gone.sandbox({"image": "x"})):
        with pytest.raises(EngineError) as caught:
            call()
        assert caught.value.code == "unreachable"
        assert str(caught.value) == (
            f"no Docker engine answers at unix://{tmp_path}/no.sock: No such file or directory"
        )
    with pytest.raises(TemplateError, match=r"expected unix:///path/of/the\.sock"):
        FastContainerOrchestrator("tcp://127.0.0.1:2375", str(tmp_path), manager=manager)
    for bad in ("../x", "", "A"):
        with pytest.raises(TemplateError, match="expected a project's name"):
            gone.status(bad)


class TestSandbox:
    def run(
        self, facade: FastContainerOrchestrator, engine: TestEngine, line: str, **more: Any
    ) -> dict[str, Any]:
        request = {"image": engine.image, "command": ["sh", "-c", line], **more}
        result = facade.sandbox(request)
        assert engine.sandboxes() == []
        return result

    def test_output_and_exit_code(
        self, facade: FastContainerOrchestrator, engine: TestEngine
    ) -> None:
        line = "id; cat; echo e$X >&2; exit 7"
        found = self.run(facade, engine, line, stdin="é\n", environment={"X": "y"})
        assert found["exit_code"] == 7
        assert found["stdout"] == "uid=65534 gid=65534 groups=65534\né\n"
        assert found["stderr"] == "ey\n"
        assert not (found["timed_out"] or found["oom_killed"] or found["stdout_truncated"])

    def test_it_is_shut_in(self, facade: FastContainerOrchestrator, engine: TestEngine) -> None:
        line = "touch /x; touch /tmp/y && ls /tmp; ls /sys/class/net; head -n 99 /proc/self/status"
        found = self.run(facade, engine, line)
        assert "Read-only file system" in found["stderr"]
        lines = found["stdout"].splitlines()
        assert lines[:2] == ["y", "lo"]
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "0" * 16)
        assert status["NoNewPrivs"] == "1"

    def test_time_limit(self, facade: FastContainerOrchestrator, engine: TestEngine) -> None:
        found = self.run(facade, engine, "echo on; sleep 100", timeout="1s")
        assert (found["timed_out"], found["exit_code"], found["stdout"]) == (True, None, "on\n")
        assert 1000 <= found["duration_ms"] < 5000

    def test_output_limit(self, facade: FastContainerOrchestrator, engine: TestEngine) -> None:
        found = self.run(facade, engine, "yes | head -n 5000; echo x >&2", output_limit="100")
        assert found["stdout"] == "y\n" * 50
        assert (found["stdout_truncated"], found["stderr_truncated"]) == (True, False)
        assert found["exit_code"] == 0

    def test_memory_limit(self, facade: FastContainerOrchestrator, engine: TestEngine) -> None:
        line = "x=$(yes 123456789 | head -c 100000000); echo survived"
        found = self.run(facade, engine, line, memory="16m", timeout="60s")
        assert "survived" not in found["stdout"]
        assert found["oom_killed"]

    def test_process_limit(self, facade: FastContainerOrchestrator, engine: TestEngine) -> None:
        # The engine's own starter has threads in the container for a moment: leave it room.
        line = "i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i + 1)); done; wait"
        found = self.run(facade, engine, line, pids=20)
        assert "can't fork" in found["stderr"]

    def test_what_it_can_not_run(
        self, facade: FastContainerOrchestrator, engine: TestEngine
    ) -> None:
        with pytest.raises(EngineError) as caught:
            facade.sandbox({"image": engine.image, "command": ["/no/such"]})
        assert caught.value.code in ("engine", "not_found")
        assert "no such file" in str(caught.value)
        with pytest.raises(TemplateError, match=r"sandbox\.network"):
            facade.sandbox({"image": engine.image, "network": True})
        assert engine.sandboxes() == []

    def test_abandoned_ones_are_swept(
        self, facade: FastContainerOrchestrator, engine: TestEngine
    ) -> None:
        labels = {"agentcore.sandbox": "1", "agentcore.sandbox-deadline": "1000"}
        young = labels | {"agentcore.sandbox-deadline": str(int(time.time()) + 300)}
        made = [
            engine.http.request(
                "POST",
                "/containers/create",
                {"name": f"{engine.prefix}swept{index}"},
                {"Image": engine.image, "Cmd": ["true"], "Labels": these},
            )["Id"]
            for index, these in enumerate((labels, young))
        ]
        assert facade.sweep() >= 1
        assert engine.sandboxes() == made[1:]
        engine.http.request("DELETE", f"/containers/{made[1]}", {"force": 1})
