"""The service as a process: readiness, runs, errors, keys, bounds, drain."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentcore.api.routes import MAX_BODY_BYTES
from agentcore.settings import COMPONENTS

from .conftest import Answer, Starter

FILES = {"inputs": {"files": [{"path": "a.py", "content": "x = 1\n"}]}}
KEY = "a-key-of-enough-characters"


def slow_csv(bars: int = 120_000) -> str:
    """Return a table that keeps a worker busy for some seconds."""
    rows = [
        f"{1900 + i // 336:04}-{i // 28 % 12 + 1:02}-{i % 28 + 1:02},10,12,9,{10 + i % 2},5"
        for i in range(bars)
    ]
    return "date,open,high,low,close,volume\n" + "\n".join(rows)


SLOW = {"inputs": {"csv": slow_csv(), "strategy": "momentum", "lookback": 1}}


def test_readiness_says_everything_the_gate_asks(start: Starter) -> None:
    served = start("--release", "0.1.0-abcdef01")
    body = served.ask("GET", "/readyz").json
    assert body["status"] == "ready"
    assert body["service"] == "agentcore"
    assert body["release"] == "0.1.0-abcdef01"
    assert body["pid"] == served.process.pid
    assert set(body["components"]) == set(COMPONENTS)
    natives = [one["implementation"] for one in body["components"].values()]
    assert body["flavor"] == ("native" if "native" in natives else "python")
    assert body["model"]["state"] == "loaded"
    assert len(body["model"]["sha256"]) == 64
    assert served.ask("GET", "/livez").status == 200


def test_a_run_is_answered_and_kept_across_restarts(start: Starter) -> None:
    served = start()
    answer = served.ask("POST", "/v1/agents/developer/runs", FILES)
    assert answer.status == 200
    run = answer.json
    assert (run["agent"], run["status"]) == ("developer", "succeeded")
    assert re.fullmatch(r"run_[0-9a-f]{32}", run["id"])
    assert served.stop() == 0
    again = start().ask("GET", f"/v1/agents/developer/runs/{run['id']}")
    assert again.json == run
    assert start().ask("GET", f"/v1/agents/lawyer/runs/{run['id']}").status == 404


def test_auto_routes_or_asks_back(start: Starter) -> None:
    served = start()
    body = {"prompt": "find leaked passwords in this code", **FILES}
    routed = served.ask("POST", "/v1/agents/auto/runs", body).json
    assert (routed["agent"], routed["status"]) == ("developer", "succeeded")
    asked = served.ask("POST", "/v1/agents/auto/runs", {"prompt": "hello"}).json
    assert (asked["agent"], asked["status"], asked["result"]) == ("", "question", None)
    assert "Which agent" in asked["route"]["question"]


def test_search_cites_word_for_word(start: Starter) -> None:
    text = "Backups run every night.\n\nTo restore a database, stop the service first."
    body = {"query": "restore the database", "documents": [{"path": "ops.txt", "content": text}]}
    hits = start().ask("POST", "/v1/search", body).json["hits"]
    assert hits[0]["document"] == "ops.txt"
    assert text[hits[0]["start"] : hits[0]["end"]] == hits[0]["quote"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v1/agents/nobody/runs", {}, 404, "developer, lawyer, trader, auto"),
        ("POST", "/v1/agents/developer/runs", {}, 422, "inputs.files"),
        ("POST", "/v1/agents/developer/runs", b"{", 422, "not JSON"),
        ("POST", "/v1/agents/developer/runs", b"[1]", 422, "not an object"),
        ("POST", "/v1/agents/developer/runs", b"\xff", 422, "not JSON"),
        ("POST", "/v1/agents/developer/runs", b"[" * 100_000, 422, "not JSON"),
        ("POST", "/v1/agents/developer/runs", {"input": {}}, 422, "unknown field"),
        ("POST", "/v1/agents/developer/runs", {"inputs": []}, 422, "an object"),
        ("POST", "/v1/agents/auto/runs", {}, 422, "prompt"),
        ("POST", "/v1/search", {"query": "x", "documents": []}, 422, "documents"),
        ("GET", "/v1/agents/developer/runs/run_1", None, 404, "no such run"),
        ("GET", "/v1/nothing", None, 404, "/v1/nothing"),
        ("DELETE", "/v1/agents", None, 405, "Method Not Allowed"),
    ],
)
def test_errors_have_one_shape(
    served: object, method: str, path: str, body: object, status: int, words: str
) -> None:
    answer: Answer = served.ask(method, path, body)  # type: ignore[attr-defined]
    assert answer.status == status
    error = answer.json["error"]
    assert set(error) == {"code", "what", "where", "expected"}
    assert words in " ".join(error.values())


@pytest.fixture
def served(start: Starter) -> object:
    return start()


def test_a_body_that_is_too_large_is_refused(start: Starter) -> None:
    served = start()
    answer = served.ask("POST", "/v1/search", b"x" * 10, **{"content-length": str(10**9)})
    assert answer.status == 413
    with pytest.raises(OSError, match=r"Broken pipe|reset|timed out"):
        while True:  # chunked: no declared length
            _chunked(served.uds, MAX_BODY_BYTES + 2**20)


def _chunked(path: Path, size: int) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        head = b"POST /v1/search HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        sock.sendall(head)
        block = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(size // 65536):
            sock.sendall(block)
        answer = sock.recv(65536)
        assert b" 413 " in answer.split(b"\r\n")[0]
        raise OSError("reset: answered 413 and closed")


def test_the_key_guards_v1_and_is_in_no_log(start: Starter, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    served = start("--api-key-file", str(file), "--log.format", "json", "--log.level", "debug")
    for header in ("", "Bearer wrong-key-of-some-length", KEY):
        answer = served.ask("GET", "/v1/agents", Authorization=header)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    good = {"Authorization": f"Bearer {KEY}"}
    assert served.ask("GET", "/v1/agents?key=in-the-query", **good).status == 200
    assert served.ask("GET", "/metrics").status == 200
    assert served.stop() == 0
    log = served.log.read_text()
    assert "/v1/agents" in log
    assert KEY not in log
    assert "in-the-query" not in log


def test_metrics(start: Starter) -> None:
    served = start()
    served.ask("POST", "/v1/agents/developer/runs", FILES)
    served.ask("GET", "/v1/../../etc/passwd")
    text = served.ask("GET", "/metrics").body.decode()
    for component in COMPONENTS:
        assert re.search(rf'agentcore_component_native{{component="{component}"}} [01]\.0', text)
    assert re.search(r'agentcore_service_info{.*service="agentcore".*version="0\.1\.0"} 1\.0', text)
    assert "agentcore_boot_guard_active 0.0" in text
    assert "agentcore_ready 1.0" in text
    assert 'agentcore_runs_total{agent="developer",status="succeeded"} 1.0' in text
    assert 'route="/v1/agents/{name}/runs",status="200"} 1.0' in text
    assert "passwd" not in text
    assert "process_resident_memory_bytes" in text


def test_a_full_queue_refuses_and_health_goes_on(start: Starter) -> None:
    served = start("--workers", "1", "--queue", "0")
    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(served.ask, "POST", "/v1/agents/trader/runs", SLOW)
        time.sleep(0.5)
        refused = served.ask("POST", "/v1/agents/developer/runs", FILES)
        begun = time.monotonic()
        assert served.ask("GET", "/readyz").status == 200
        assert time.monotonic() - begun < 2
        assert slow.result().status == 200
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert served.ask("POST", "/v1/agents/developer/runs", FILES).status == 200


def test_sigterm_finishes_what_is_in_flight(start: Starter) -> None:
    served = start("--drain-seconds", "30")
    answers: list[Answer] = []
    thread = threading.Thread(
        target=lambda: answers.append(served.ask("POST", "/v1/agents/trader/runs", SLOW))
    )
    thread.start()
    time.sleep(0.4)
    served.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    draining = served.ask("GET", "/readyz")
    assert draining.status == 503
    assert "draining" in draining.json["reason"]
    assert draining.headers["connection"] == "close"
    thread.join(40)
    assert [answer.status for answer in answers] == [200]
    assert served.stop() == 0
    assert not served.uds.exists()


def test_no_request_is_lost_by_clients_that_leave_when_told(start: Starter) -> None:
    served = start()
    stop, results = threading.Event(), list[int]()

    def client() -> None:
        while not stop.is_set():
            try:
                answer = served.ask("GET", "/v1/agents")
            except OSError:
                if served.process.poll() is None and not draining.is_set():
                    raise
                return
            results.append(answer.status)
            if answer.headers.get("connection") == "close":
                return

    draining = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(client) for _ in range(4)]
        time.sleep(0.5)
        draining.set()
        assert served.stop() == 0
        stop.set()
        for one in clients:
            one.result()
    assert len(results) > 20
    assert set(results) == {200}


def test_a_socket_left_by_a_killed_process_is_replaced(start: Starter, tmp_path: Path) -> None:
    dead = start()
    dead.stop(signal.SIGKILL)
    assert dead.uds.exists()
    done = _refused("--uds", str(dead.uds), "--state-dir", str(tmp_path / "s"), wait_ready=dead.uds)
    assert done == ""


def test_a_socket_in_use_is_not_taken(start: Starter, tmp_path: Path) -> None:
    served = start("--uds-mode", "0600")
    assert stat.S_IMODE(served.uds.stat().st_mode) == 0o600
    text = _refused("--uds", str(served.uds), "--state-dir", str(tmp_path / "s"))
    assert "another process listens there" in text
    assert served.ask("GET", "/livez").status == 200


def _refused(*flags: str, wait_ready: Path | None = None) -> str:
    """Return what a start that must be refused says; with ``wait_ready``, that it is not."""
    command = [sys.executable, "-m", "agentcore", "serve", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    if wait_ready:
        probe = [sys.executable, "-m", "agentcore", "probe", f"unix:{wait_ready}:/livez"]
        deadline = time.monotonic() + 20
        while subprocess.run(probe, check=False, capture_output=True).returncode:
            assert time.monotonic() < deadline
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode == 0
        return ""
    _, text = process.communicate(timeout=20)
    assert process.returncode == 64, text
    return text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "--state-dir"),
        (["--listen", "127.0.0.1"], "port is missing"),
        (["--listen", "127.0.0.1:99999"], "0 to 65535"),
        (["--listen", "0.0.0.0:0"], "no key guards it"),
        (["--api-key-file", "/nonexistent"], "cannot be read"),
        (["--uds", "relative.sock"], "absolute path"),
        (["--uds", "/nonexistent/x.sock"], "can be written"),
        (["--workers", "0"], "from 1 to 64"),
        (["--uds-mode", "999"], "octal"),
        (["--listne", "x"], "--listne"),
    ],
)
def test_bad_flags_exit_64_and_say_what_is_right(
    tmp_path: Path, flags: list[str], words: str
) -> None:
    state = ["--state-dir", str(tmp_path)] if flags else []
    assert words in _refused(*flags, *state)


def test_a_state_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = _refused("--uds", str(tmp_path / "s"), "--state-dir", str(tmp_path / "file"))
    assert "--state-dir" in text


def test_tcp(start: Starter, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "agentcore", "serve", "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--state-dir", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        target = f"http://127.0.0.1:{port}/readyz"
        probe = [sys.executable, "-m", "agentcore", "probe", target]
        deadline = time.monotonic() + 20
        while subprocess.run(probe, check=False, capture_output=True).returncode:
            assert time.monotonic() < deadline
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_required_native_code_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agentcore", "serve", "--uds", str(tmp_path / "s")]
    env = os.environ | {"AGENTCORE_NATIVE": "require", "AGENTCORE_LIB_DIR": str(tmp_path)}
    done = subprocess.run(
        [*command, "--state-dir", str(tmp_path)],
        check=False,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "AGENTCORE_NATIVE=require" in done.stderr
