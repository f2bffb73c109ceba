"""What goes over the wire: every request carries the API version agreed on.

A small server on a Unix socket stands where the engine would and notes what it is asked, because a
real engine does not tell. bollard 0.21 leaves the version out by itself.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from agentcore.containers import EngineError, FastContainerOrchestrator
from agentcore.containers.engine_http import demultiplex
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_container_orchestrator"


@contextmanager
def recorder(path: Path, newest: str, oldest: str) -> Iterator[list[str]]:
    """Answer ``/version`` and an empty list of containers; yield the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path.endswith("/version"):
                found: object = {"ApiVersion": newest, "MinAPIVersion": oldest, "Version": "1"}
            else:
                found = []
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

        def address_string(self) -> str:
            return "unix"

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    with Server(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("newest", "oldest", "agreed"),
    [("1.41", "1.12", "1.41"), ("1.45", "1.24", "1.45"), ("1.53", "1.44", "1.47")],
)
def test_every_request_carries_the_version(
    manager: RustIntegrationManager, tmp_path: Path, newest: str, oldest: str, agreed: str
) -> None:
    with recorder(tmp_path / "d.sock", newest, oldest) as asked:
        facade = FastContainerOrchestrator(
            f"unix://{tmp_path}/d.sock", str(tmp_path), manager=manager
        )
        assert facade.ping()["api"] == agreed
        with pytest.raises(EngineError, match="no project p is applied here"):
            facade.status("p")
    others = [path for path in asked if not path.endswith("/version")]
    assert others
    assert all(path.startswith(f"/v{agreed}/containers/json?") for path in others)


@pytest.mark.parametrize(("newest", "oldest"), [("1.40", "1.12"), ("1.60", "1.50")])
def test_an_engine_too_old_or_too_new(
    manager: RustIntegrationManager, tmp_path: Path, newest: str, oldest: str
) -> None:
    with recorder(tmp_path / "d.sock", newest, oldest):
        docker = f"unix://{tmp_path}/d.sock"
        facade = FastContainerOrchestrator(docker, str(tmp_path), manager=manager)
        with pytest.raises(EngineError) as caught:
            facade.ping()
    assert caught.value.code == "unsupported"
    assert str(caught.value) == (
        f"the engine at {docker} speaks API {oldest} to {newest}; "
        "expected one that speaks 1.41 to 1.47"
    )


def test_demultiplex() -> None:
    raw = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x01!" + b"\x01\0\0"
    assert demultiplex(raw) == b"hi!"
