"""A real ``agentcore serve`` in a process of its own, spoken to over its socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float = 30) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """One running service."""

    process: subprocess.Popen[bytes]
    uds: Path
    log: Path
    state: Path
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        conn = UnixConnection(self.uds)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            conn.request(method, path, data, self.headers | headers)
            answer = conn.getresponse()
            return Answer(
                answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
            )
        finally:
            conn.close()

    def wait(self, ready: Callable[[Served], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended: {self.log.read_text()}")
            try:
                if ready(self):
                    return
            except OSError:
                pass
            time.sleep(0.03)
        raise AssertionError(f"not within {seconds} s: {self.log.read_text()}")

    def wait_ready(self) -> None:
        self.wait(lambda served: served.ask("GET", "/readyz").status == 200)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


Starter = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Start services that end with the test."""
    running: list[Served] = []

    def begin(*flags: str, ready: bool = True, env: dict[str, str] | None = None) -> Served:
        number = len(running)
        uds, log = tmp_path / f"{number}.sock", tmp_path / f"{number}.log"
        state = tmp_path / "state"
        command = [sys.executable, "-W", "error", "-m", "agentcore", "serve", "--uds", str(uds)]
        command += ["--state-dir", str(state), *flags]
        with log.open("wb") as err:
            # What the run of the suite demands is not what these services are asked.
            inherited = {k: v for k, v in os.environ.items() if k != "AGENTCORE_NATIVE"}
            process = subprocess.Popen(command, stderr=err, env=inherited | (env or {}))
        served = Served(process, uds, log, state)
        running.append(served)
        if ready:
            served.wait_ready()
        return served

    yield begin
    for served in running:
        served.stop(signal.SIGKILL)
