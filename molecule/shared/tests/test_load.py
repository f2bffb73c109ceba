"""The load generator against servers that behave, fail now and then, pause, or are not there."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

LOAD = Path(__file__).resolve().parents[1] / "load.py"


class Server(http.server.ThreadingHTTPServer):
    """Counts connections and requests; what it answers is decided by `behave(count, handler)`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behave: Callable[[int, http.server.BaseHTTPRequestHandler], int]) -> None:
        """behave: gets the number of the request, returns a status; 0 means: cut the connection."""
        self.behave = behave
        self.lock = threading.Lock()
        self.requests = 0
        self.connections = 0
        self.posts: list[tuple[str | None, bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The address that clients use."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        """Counts the connection."""
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def do_GET(self) -> None:
        """Answers as the test wants it."""
        with self.server.lock:
            self.server.requests += 1
            count = self.server.requests
        status = self.server.behave(count, self)
        if status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self) -> None:
        """Keeps the body and the key."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.posts.append((self.headers["Authorization"], body))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def serving(behave: Callable[[int, http.server.BaseHTTPRequestHandler], int]) -> Iterator[Server]:
    """A server for the time of a test."""
    server = Server(behave)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def after(seconds: float) -> Callable[[int, object], int]:
    """The behavior of a server that takes so long for every answer."""

    def behave(_: int, __: object) -> int:
        time.sleep(seconds)
        return 200

    return behave


def load(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs load.py to its end."""
    return subprocess.run(
        [sys.executable, LOAD, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_good_server_gives_a_good_verdict_with_both_kinds_of_clients(tmp_path: Path) -> None:
    report = tmp_path / "load.json"
    with serving(lambda *_: 200) as server:
        done = load("run", "--target", server.url, "--report", report, "--duration", 3)
        connections = server.connections
    found = json.loads(report.read_text())
    assert done.returncode == 0, done.stderr
    assert found["verdict"] == "good"
    figures = found["targets"][server.url]
    assert figures["rate"] >= 50
    assert figures["clients"]["keep_alive"]["total"] > 50
    assert figures["clients"]["new_connection"]["total"] > 50
    # Five kept connections and one for each other request.
    assert connections == 5 + figures["clients"]["new_connection"]["total"]
    assert figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert figures["longest_gap_s"] < 1
    assert not list(tmp_path.glob("*.pid"))


@pytest.mark.parametrize(("status", "said"), [(503, '"status": 503'), (0, "RemoteDisconnected")])
def test_every_failure_is_counted(tmp_path: Path, status: int, said: str) -> None:
    report = tmp_path / "load.json"
    with serving(lambda count, _: status if count % 40 == 0 else 200) as server:
        done = load("run", "--target", server.url, "--report", report, "--duration", 2)
        wrong = server.requests // 40
    found = json.loads(report.read_text())
    assert done.returncode == 1
    assert found["failed"] == wrong > 0
    assert said in report.read_text()


def test_a_pause_is_seen_as_a_gap_and_not_as_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "load.json"
    gate = threading.Event()

    def behave(count: int, _: object) -> int:
        if count == 60:
            time.sleep(1.2)
            gate.set()
        elif count > 60:
            gate.wait(5)
        return 200

    with serving(behave) as server:
        done = load("run", "--target", server.url, "--report", report, "--duration", 4)
    figures = json.loads(report.read_text())["targets"][server.url]
    assert done.returncode == 0, done.stdout + done.stderr
    assert 0.9 < figures["longest_gap_s"] < 3
    assert figures["failed"] == 0
    assert figures["rate"] >= 50


def test_a_server_that_hangs_times_out_and_fails(tmp_path: Path) -> None:
    report = tmp_path / "load.json"
    with serving(after(1)) as server:
        done = load(
            *("run", "--target", server.url, "--report", report),
            *("--duration", 1, "--timeout", 0.3),
        )
    assert done.returncode == 1
    assert "timed out" in report.read_text()


def test_a_rate_that_is_not_reached_is_no_good_run(tmp_path: Path) -> None:
    report = tmp_path / "load.json"
    with serving(after(0.5)) as server:
        done = load("run", "--target", server.url, "--report", report, "--duration", 2)
    assert done.returncode == 1
    assert "were not reached" in json.loads(report.read_text())["verdict"]


def test_start_and_stop_leave_a_report_and_no_process(tmp_path: Path) -> None:
    report = tmp_path / "not" / "there" / "load.json"
    body, key = tmp_path / "body.json", tmp_path / "key"
    body.write_text('{"a": 1}')
    key.write_text("hush\n")
    options = (
        "--post-path",
        "/v1/x",
        "--post-body",
        body,
        "--api-key-file",
        key,
        "--post-every",
        5,
    )
    with serving(lambda *_: 200) as server:
        started = load("start", "--target", server.url, "--report", report, *options)
        assert started.returncode == 0, started.stderr
        pid = int(report.with_name("load.json.pid").read_text())
        time.sleep(2)
        again = load("start", "--target", server.url, "--report", report, *options)
        assert again.returncode == 64
        assert "goes on already" in again.stderr
        stopped = load("stop", "--report", report)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert "0 failed" in stopped.stdout
    assert ("Bearer hush", b'{"a": 1}') in server.posts
    assert "hush" not in report.read_text()
    # Gone, or a zombie that waits for the machine's init: neither has a command line.
    left = Path(f"/proc/{pid}/cmdline")
    assert not left.exists() or left.read_bytes() == b""


def test_start_refuses_a_target_that_does_not_take_the_posts(tmp_path: Path) -> None:
    (tmp_path / "body").write_text("{}")
    (tmp_path / "key").write_text("k")
    arguments = ("--post-path", "/v1/x", "--post-body", tmp_path / "body", "--post-every", 3)
    with serving(lambda _, handler: 422 if handler.command == "POST" else 200) as server:
        done = load(
            *("start", "--target", server.url, "--report", tmp_path / "r.json"),
            *(*arguments, "--api-key-file", tmp_path / "key"),
        )
    assert done.returncode == 1
    assert "POST /v1/x: 422" in done.stderr
    assert not list(tmp_path.glob("*.pid"))


def test_stop_all_ends_what_was_left(tmp_path: Path) -> None:
    with serving(lambda *_: 200) as server:
        for name in ("a.json", "b.json"):
            report = tmp_path / name
            assert load("start", "--target", server.url, "--report", report).returncode == 0
        assert load("stop", "--all", tmp_path).returncode == 0
    assert sorted(file.name for file in tmp_path.glob("*.json")) == ["a.json", "b.json"]
    assert load("stop", "--all", tmp_path).returncode == 0


def test_stop_without_a_run_is_an_error(tmp_path: Path) -> None:
    done = load("stop", "--report", tmp_path / "none.json")
    assert done.returncode == 1
    assert "no report" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "https://x"), "use http://HOST:PORT"),
        (("--target", "http://x:1", "--rate", "0"), "--rate is 0"),
        (("--target", "http://x:1", "--duration", "9999999"), "--duration"),
        (("--target", "http://x:1", "--timeout", "0"), "--timeout"),
        (("--target", "http://x:1", "--post-path", "/v1"), "--post-path needs"),
    ],
)
def test_bad_options_are_refused(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = load("run", "--report", tmp_path / "r.json", *options)
    assert done.returncode == 64
    assert said in done.stderr
