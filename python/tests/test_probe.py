"""The healthcheck, run as the images run it: isolated, without site-packages, on real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PROBE = Path(__file__).parent.parent / "src" / "agentcore" / "probe.py"


def run(target: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(PROBE), target],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    return done.returncode, done.stderr


@contextmanager
def answering(sock: socket.socket, answer: Callable[[socket.socket], object]) -> Iterator[None]:
    sock.listen()

    def serve() -> None:
        # A test of the scanner in another process may look at this port too: who asks is answered.
        asked = False
        while not asked:
            conn, _ = sock.accept()
            with conn, suppress(ConnectionResetError):
                asked = conn.recv(4096) != b""
                if asked:
                    answer(conn)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    thread.join(5)
    sock.close()


def tcp() -> tuple[socket.socket, str]:
    sock = socket.create_server(("127.0.0.1", 0))
    return sock, f"http://127.0.0.1:{sock.getsockname()[1]}/readyz"


@pytest.mark.parametrize(
    ("answer", "status", "word"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0, ""),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 1, "HTTP 503"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", 1, "HTTP 2000"),
        (b"SSH-2.0\r\n", 1, "not HTTP"),
        (b"", 1, "not HTTP"),
    ],
)
def test_only_200_is_healthy(answer: bytes, status: int, word: str) -> None:
    sock, target = tcp()
    with answering(sock, lambda conn: conn.sendall(answer)):
        code, text = run(target)
    assert (code, word in text) == (status, True)
    assert text.count("\n") == (1 if status else 0)


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    with answering(sock, lambda conn: conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")):
        assert run(f"unix:{path}:/readyz") == (0, "")
    code, text = run(f"unix:{tmp_path}/none.sock:/readyz")
    assert code == 1
    assert "No such file" in text


def test_nobody_there() -> None:
    sock, target = tcp()
    sock.close()
    assert run(target)[0] == 1


def test_a_silent_server_is_given_up_after_two_seconds() -> None:
    sock, target = tcp()
    done = threading.Event()
    with answering(sock, lambda _conn: done.wait(5) and None):
        code, text = run(target)
        done.set()
    assert code == 1
    assert "within 2 s" in text


def test_a_server_that_drips_is_given_up_too() -> None:
    sock, target = tcp()
    stop = threading.Event()

    def drip(conn: socket.socket) -> None:
        while not stop.wait(0.3):
            try:
                conn.sendall(b"H")
            except OSError:
                return

    with answering(sock, drip):
        code, text = run(target)
        stop.set()
    assert code == 1
    assert "within 2 s" in text


@pytest.mark.parametrize(
    "target",
    ["", "localhost", "http://x/", "http://h:0/", "http://h:99999/", "unix:a:/x", "unix:/a"],
)
def test_malformed_targets_are_refused_with_the_forms(target: str) -> None:
    code, text = run(target)
    assert code == 64
    assert "expected" in text
