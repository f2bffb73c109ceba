"""The integration guide tells the truth: its examples run here, and answer what it prints."""

from __future__ import annotations

import doctest
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "integration.md"


class Service(BaseHTTPRequestHandler):
    """As much of AGENTCore's edge as the examples ask for."""

    def answer(self) -> None:
        bodies = {
            "/readyz": json.dumps({"status": "ready"}),
            "/livez": "ok",
            "/metrics": "# none\n",
        }
        body = bodies[self.path].encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_GET = do_HEAD = answer  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def edge() -> Iterator[str]:
    """The address of a running service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not in a copy of this folder alone")
def test_the_guide(edge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = GUIDE.read_text("utf-8").replace("127.0.0.1:8700", edge)
    examples = doctest.DocTestParser().get_doctest(text, {}, "integration.md", str(GUIDE), 0)
    assert len(examples.examples) > 40
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    result = runner.run(examples, out=said.append)
    assert result.failed == 0, "".join(said)
