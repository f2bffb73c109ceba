"""A server for the tests: raw sockets, one thread a connection, told what to do by path.

Whoever connects and says nothing, or nonsense, is borne and forgotten: a scanner's test of another
room may knock on any port of this machine. So tests count requests, by path, never connections.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 30.0


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int  # a number of the connection, to see which requests shared one


@dataclass
class Conversation:
    """One connection, seen from the server."""

    sock: socket.socket
    number: int
    ahead: bytes = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def more(self) -> bytes:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError
        return data

    def line(self) -> bytes:
        while b"\n" not in self.ahead:
            self.ahead += self.more()
            if len(self.ahead) > 1 << 20:
                raise ConnectionError
        line, _, self.ahead = self.ahead.partition(b"\n")
        return line.rstrip(b"\r")

    def take(self, count: int) -> bytes:
        while len(self.ahead) < count:
            self.ahead += self.more()
        data, self.ahead = self.ahead[:count], self.ahead[count:]
        return data

    def request(self) -> Request:
        method, target, _ = self.line().decode("latin-1").split(" ")
        headers: dict[str, str] = {}
        while line := self.line().decode("latin-1"):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int(self.line(), 16):
                body += self.take(size)
                self.line()
            self.line()
        elif "content-length" in headers:
            body = self.take(int(headers["content-length"]))
        return Request(method, target, headers, body, self.number)


def reply(body: bytes = b"", status: int = 200, *fields: str) -> bytes:
    head = [f"HTTP/1.1 {status} Told", f"content-length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


Route = Callable[[Request, Conversation], bytes | None]


@dataclass
class Server:
    """Answers by ``routes``, path to a function; what it returns is sent as it is.

    A function may speak itself, and return None to have the connection closed.
    """

    routes: dict[str, Route] = field(default_factory=dict)
    context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self._sock = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._sock.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._number = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path, in the order in which they came."""
        with self._lock:
            return [each for each in self.requests if each.target.partition("?")[0] == path]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            self._number += 1
            number = self._number
            self._open.add(sock)
        try:
            sock.settimeout(PATIENCE)
            if self.context is not None:
                sock = self.context.wrap_socket(sock, server_side=True)
            conversation = Conversation(sock, number)
            while True:
                request = conversation.request()
                with self._lock:
                    self.requests.append(request)
                path = request.target.partition("?")[0]
                route = self.routes.get(path) or self.routes.get("*")
                answer = reply(b"", 404) if route is None else route(request, conversation)
                if answer is None:
                    return
                conversation.send(answer)
        except (OSError, ValueError, UnicodeError):
            return
        finally:
            with self._lock:
                self._open.discard(sock)
            with contextlib.suppress(OSError):
                sock.close()


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None, **routes: Any) -> Iterator[Server]:
    """Serve while the block runs; keyword ``name`` answers ``/name``."""
    server = Server({f"/{name}": route for name, route in routes.items()}, context)
    try:
        yield server
    finally:
        server.close()


def says(*answers: bytes) -> Route:
    """Return a route that gives the answers in turn, the last one again and again."""
    left = list(answers)
    lock = threading.Lock()

    def route(_request: Request, _conversation: Conversation) -> bytes:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return route
