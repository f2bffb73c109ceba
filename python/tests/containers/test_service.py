"""The daemon and its stand-in, as processes: same flags, routes, answers, metric names."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcore.containers import EngineError, OrchestratorClient, TemplateError
from agentcore.containers.client import _Connection

if TYPE_CHECKING:
    from tests.containers.conftest import TestEngine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
KINDS = {"python": "python", "rust": "native"}


def command(kind: str) -> list[str]:
    """Return what starts the daemon; the Rust one is looked for in ``DAEMON_BIN_DIR``."""
    if kind == "python":
        return [sys.executable, "-m", "agentcore", "orchestrator"]
    folder = os.environ.get("DAEMON_BIN_DIR")
    if not folder:
        pytest.skip("DAEMON_BIN_DIR is not set: no orchestrator binary to test")
    return [str(Path(folder) / "orchestrator")]


@dataclass
class Daemon:
    process: subprocess.Popen[bytes]
    admin: str
    socket: Path
    kind: str

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def raw(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        connection = _Connection(str(self.socket), 10)
        with contextlib.closing(connection):
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(kind: str, folder: Path, *flags: str) -> Iterator[Daemon]:
    admin, socket = f"127.0.0.1:{free_port()}", folder / "run" / "api.sock"
    flags = ("--listen", admin, "--socket", str(socket), *flags)
    state = ("--state-dir", str(folder / "state"), "--log.format", "json")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command(kind), *flags, *state], stderr=log)
    daemon = Daemon(process, admin, socket, kind)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                daemon.get("/healthz")
                break
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield daemon
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, (folder / "log").read_text()
        assert not socket.exists()


@pytest.fixture(params=list(KINDS))
def daemon(request: pytest.FixtureRequest, engine: TestEngine, tmp_path: Path) -> Iterator[Daemon]:
    with started(request.param, tmp_path, "--docker", engine.docker) as found:
        until_ready(found)
        yield found


def until_ready(daemon: Daemon) -> None:
    deadline = time.monotonic() + 10
    while daemon.get("/readyz")[0] != 200:
        assert time.monotonic() < deadline, daemon.get("/readyz")
        time.sleep(0.1)


def test_life_over_the_socket(daemon: Daemon, engine: TestEngine, project_name: str) -> None:
    client = OrchestratorClient(str(daemon.socket))
    template = (
        f'name: {project_name}\nservices:\n  a: {{image: "{engine.image}", init: true, '
        'command: [sleep, "${SECONDS_}"], x-health: {mode: none, hold: 200ms}}\n'
    )
    assert client.plan(template, {"SECONDS_": "900"})["changes"] == 1
    assert client.apply(template, {"SECONDS_": "900"})["changes"] == 1
    assert client.apply(template, {"SECONDS_": "901"})["changes"] == 1
    assert client.status(project_name)["services"][0]["state"] == "running"
    assert client.rollback(project_name)["changes"] == 1
    assert client.plan(template, {"SECONDS_": "900"})["changes"] == 0
    with pytest.raises(EngineError) as caught:
        client.apply(template.replace("[sleep,", "[/none,"), {"SECONDS_": "1"})
    assert caught.value.details["restored"] == [f"{project_name}-a"]
    assert len(client.remove(project_name, True)["removed"]["containers"]) == 1

    with pytest.raises(TemplateError) as refused:
        client.apply(template)
    assert refused.value.problems[0].startswith("services.a.command[1]: variable SECONDS_ is not")
    with pytest.raises(EngineError) as caught:
        client.status(project_name)
    assert caught.value.code == "not_found"
    with pytest.raises(EngineError) as caught:
        client.sandbox({"image": f"{engine.prefix}none"})
    assert caught.value.code == "image_missing"
    found = client.sandbox({"image": engine.image, "command": ["echo", "hello"]})
    assert (found["exit_code"], found["stdout"]) == (0, "hello\n")

    status, page = daemon.get("/metrics")
    assert status == 200
    for sample in (
        f'implementation="{KINDS[daemon.kind]}"',
        'agentcore_orchestrator_operations_total{operation="apply",outcome="ok"} 2',
        'agentcore_orchestrator_operations_total{operation="apply",outcome="template"} 1',
        'agentcore_orchestrator_operation_seconds_count{operation="sandbox"} 2',
        "agentcore_orchestrator_engine_up 1",
    ):
        assert sample in page


def test_the_edges_of_the_api(daemon: Daemon) -> None:
    assert daemon.socket.stat().st_mode & 0o777 == 0o660
    ready = json.loads(daemon.get("/readyz")[1])
    assert ready == {
        "status": "ready", "service": "orchestrator", "implementation": KINDS[daemon.kind],
        "version": "0.1.0", "reason": "",
    }  # fmt: skip
    assert daemon.get("/v1/status?project=x")[0] == 404  # the API is on the socket alone
    assert daemon.raw("POST", "/v1/apply", b"{")[0] == 400
    assert daemon.raw("POST", "/v1/apply", b"{}")[0] == 400
    assert daemon.raw("POST", "/v1/apply", b'{"template": "", "odd": 1}')[0] == 400
    assert daemon.raw("GET", "/v1/status?project=../x", b"")[0] == 422
    assert daemon.raw("GET", "/v1/apply", b"")[0] == 405
    assert daemon.raw("POST", "/v1/sandbox", b'{"image": "i", "pids": 0}')[0] == 422
    with contextlib.suppress(OSError, http.client.HTTPException):  # or it hangs up early
        assert daemon.raw("POST", "/v1/apply", b"x" * 3_000_000)[0] == 413
    assert daemon.get("/healthz")[0] == 200


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_lost_engine(kind: str, tmp_path: Path) -> None:
    with started(kind, tmp_path, "--docker", f"unix://{tmp_path}/gone.sock") as daemon:
        deadline = time.monotonic() + 10
        while "no Docker engine answers" not in daemon.get("/readyz")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert daemon.get("/readyz")[0] == 503
        status, body = daemon.raw("GET", "/v1/status?project=p", b"")
        assert (status, json.loads(body)["code"]) == (503, "unreachable")
        assert "agentcore_orchestrator_engine_up 0" in daemon.get("/metrics")[1]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--docker", "tcp://x"], ["--docker", "tcp://x", "unix:///"]),
        (["--socket", "api.sock"], ["--socket", "api.sock", "absolute path"]),
        (["--listen", "127.0.0.1:99999"], ["--listen", "99999", "65535"]),
        (["--policy", "/none.json"], ["--policy", "/none.json"]),
        (["--nonsense"], ["--nonsense"]),
    ],
)
def test_bad_flags(kind: str, flags: list[str], words: list[str]) -> None:
    done = subprocess.run([*command(kind), *flags], capture_output=True, timeout=30, check=False)
    assert done.returncode == 64
    for word in words:
        assert word in done.stderr.decode()


@pytest.mark.parametrize("kind", list(KINDS))
def test_bad_policy(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"allow_everything": true}')
    flags = ["--policy", str(file), "--socket", str(tmp_path / "s")]
    done = subprocess.run([*command(kind), *flags], capture_output=True, timeout=30, check=False)
    assert done.returncode == 64
    assert b"policy.allow_everything: unknown key" in done.stderr


def test_a_client_that_leaves_ends_its_sandbox(engine: TestEngine, tmp_path: Path) -> None:
    """Of the Rust daemon alone: the stand-in lets it run to its time limit."""
    with started("rust", tmp_path, "--docker", engine.docker) as daemon:
        until_ready(daemon)
        asked = {"image": engine.image, "command": ["sleep", "60"], "timeout": "60s"}
        connection = _Connection(str(daemon.socket), 10)
        connection.request("POST", "/v1/sandbox", json.dumps(asked))
        deadline = time.monotonic() + 20
        while not engine.sandboxes():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        connection.close()
        while engine.sandboxes():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_no_orchestrator(tmp_path: Path) -> None:
    client = OrchestratorClient(str(tmp_path / "none.sock"))
    with pytest.raises(EngineError, match="no orchestrator answers at unix:") as caught:
        client.status("p")
    assert caught.value.code == "unreachable"
