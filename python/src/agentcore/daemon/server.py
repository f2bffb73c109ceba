"""The HTTP server under a stand-in: threads, a bound on them, a drain with a deadline."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from agentcore.daemon.listen import Listen
from agentcore.daemon.messages import Request, Response

DRAIN_SECONDS = 10.0
"""How long requests that run when the stop is told may take to finish."""
MAX_CONNECTIONS = 64
"""More connections than this wait to be accepted."""
IDLE_SECONDS = 60.0
MAX_BODY = 2 * 1024 * 1024
_SOCKET_MODE = 0o660
_log = logging.getLogger("agentcore.daemon")


class Server(ThreadingMixIn, HTTPServer):
    """An HTTP/1.1 server on a `Listen`; it has its address as soon as it exists.

    Raises:
        OSError: the address can't be taken.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, listen: Listen, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.draining = False
        self.listen = listen
        self._active = 0
        self._idle = threading.Condition()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._inode = 0
        if listen.unix is not None:
            self.address_family = socket.AF_UNIX
        elif listen.is_ipv6:
            self.address_family = socket.AF_INET6
        super().__init__((listen.host, listen.port), _Handler)
        self._wake_read, self.wake_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        if listen.unix is None:
            self.listen = Listen(listen.host, self.server_address[1])

    def server_bind(self) -> None:
        """Take the address; a Unix socket appears under its path with its mode already set."""
        path = self.listen.unix
        if path is None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(self.server_address)
            self.server_address = self.socket.getsockname()
        else:
            _refuse_if_used(path)
            early = path.with_name(f"{path.name}.{os.getpid()}")
            early.unlink(missing_ok=True)
            self.socket.bind(str(early))
            early.chmod(_SOCKET_MODE)
            # Listening comes before the path shows: no client finds a socket that refuses.
            self.socket.listen(self.request_queue_size)
            early.rename(path)
            self._inode = path.stat().st_ino
        self.server_name, self.server_port = self.listen.host, self.listen.port

    def get_request(self) -> tuple[Any, Any]:
        """Accept one connection, when there is a slot for it."""
        while not self._slots.acquire(timeout=0.1):
            if self.draining:  # a connection that waits in the kernel is refused by closing
                raise OSError(errno.ECANCELED, "draining")
        try:
            connection, address = self.socket.accept()
        except OSError:
            self._slots.release()
            raise
        if self.listen.unix is None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address or ("unix", 0)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and give its slot back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A connection that breaks is the client's business, not a trace on our log."""
        _log.debug("connection ended", exc_info=True)

    @contextlib.contextmanager
    def request_active(self) -> Iterator[None]:
        """Count a request that runs, for the drain."""
        with self._idle:
            self._active += 1
        try:
            yield
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def serve(self) -> None:
        """Accept until `stop`; each connection is served on a thread of its own."""
        poller = select.poll()
        poller.register(self.socket, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        while not self.draining:
            ready = [fd for fd, _ in poller.poll()]
            if self.draining or self._wake_read in ready:
                break
            try:
                connection, address = self.get_request()
            except OSError as error:
                if not self.draining:
                    # Out of descriptors, or the client has gone: both pass.
                    _log.warning("cannot accept a connection: %s", error)
                    time.sleep(0.1)
                continue
            self.process_request(connection, address)

    def stop(self) -> None:
        """Make `serve` return. Takes no lock, so a signal handler may call it."""
        self.draining = True
        with contextlib.suppress(OSError):  # the pipe is full: it has been told often enough
            os.write(self.wake_fd, b"!")

    def drain(self) -> bool:
        """Wait for running requests, free the address; False at the deadline."""
        self.draining = True
        self.server_close()
        deadline = time.monotonic() + DRAIN_SECONDS
        with self._idle:
            done = self._idle.wait_for(
                lambda: self._active == 0, timeout=max(0.0, deadline - time.monotonic())
            )
        path = self.listen.unix
        if path is not None:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == self._inode:  # else another service's already
                    path.unlink()
        return done

    def close_wake(self) -> None:
        """Close the pipe; after the last `stop` and after signals point elsewhere."""
        for end in (self._wake_read, self.wake_fd):
            os.close(end)


def _refuse_if_used(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "a file that is not a socket is in the way")
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(1.0)
        if trial.connect_ex(str(path)) == 0:
            raise OSError(errno.EADDRINUSE, "another service listens on it")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: Server
    server_version = "agentcore"
    sys_version = ""

    def _serve(self) -> None:
        with self.server.request_active():
            response = self._read_and_answer()
            body = response.body
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in response.headers.items():
                self.send_header(name, value)
            if self.server.draining or self.close_connection:
                self.send_header("Connection", "close")
                self.close_connection = True
            head = b"".join(getattr(self, "_headers_buffer", [])) + b"\r\n"
            self._headers_buffer: list[bytes] = []
            # One write for head and body: two packets would wait for each other's acknowledgment.
            self.wfile.write(head if self.command == "HEAD" else head + body)

    def _read_and_answer(self) -> Response:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdigit():
            self.close_connection = True
            return Response.error(411, "the request needs a Content-Length")
        if int(length) > MAX_BODY:
            self.close_connection = True
            return Response.error(413, f"the body has {length} bytes; at most {MAX_BODY}")
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        request = Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=unquote(url.path),
            query=parse_qs(url.query, keep_blank_values=True),
            headers=self.headers,
            body=body,
        )
        return self.server.answer(request)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        _log.debug(format, *args)
