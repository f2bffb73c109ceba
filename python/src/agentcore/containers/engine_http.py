"""The engine's API over its Unix socket, with the standard library alone."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from typing import Any
from urllib.parse import quote, urlencode

from agentcore.containers.contract import EngineError

__all__ = ["Attached", "EngineHttp", "demultiplex"]

MIN_API = (1, 41)
"""Docker engine 20.10."""
MAX_API = (1, 47)
"""The newest API this client was written against."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class EngineHttp:
    """One engine; each request has its own connection, so threads may share the object.

    Args:
        docker: ``unix:///path/of/the.sock``.
        timeout: seconds that one answer may take.
    """

    def __init__(self, docker: str, timeout: float = 60.0) -> None:
        self.docker = docker
        self.path = docker.removeprefix("unix://")
        self.timeout = timeout
        self._version: str | None = None
        self._lock = threading.Lock()

    def api_version(self) -> str:
        """Agree on an API version, once.

        Raises:
            EngineError: ``unreachable``, or ``unsupported`` where none fits.
        """
        with self._lock:
            if self._version is None:
                _, found = self._send("GET", "/version", None, self.timeout)
                newest = _pair(found.get("ApiVersion"))
                oldest = _pair(found.get("MinAPIVersion") or "1.12")
                agreed = min(newest, MAX_API)
                if agreed < MIN_API or agreed < oldest:
                    raise EngineError(
                        "unsupported",
                        f"the engine at {self.docker} speaks API {_dotted(oldest)} to "
                        f"{_dotted(newest)}; expected one that speaks 1.41 to 1.47",
                    )
                self._version = _dotted(agreed)
            return self._version

    def forget_version(self) -> None:
        """Agree anew at the next request: the engine may have been replaced."""
        with self._lock:
            self._version = None

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        timeout: float | None = None,
        absent_ok: bool = False,
    ) -> Any:
        """Send one request and return the decoded answer.

        Args:
            method: HTTP method.
            path: below the version, already quoted.
            query: parameters; dicts are sent as JSON.
            body: sent as JSON.
            timeout: seconds, instead of the usual ones.
            absent_ok: return None for 404 instead of raising.
        """
        target = f"/v{self.api_version()}{path}"
        if query:
            plain = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in query.items()}
            target += "?" + urlencode(plain)
        status, answer = self._send(method, target, body, timeout or self.timeout)
        if status == 404 and absent_ok:
            return None
        if status >= 400:
            message = answer.get("message", "") if isinstance(answer, dict) else str(answer)
            raise EngineError(
                "not_found" if status == 404 else "engine",
                f"{method} {path}: the engine answered {status}: {message}",
            )
        return answer

    def _send(self, method: str, target: str, body: Any, timeout: float) -> tuple[int, Any]:
        connection = _UnixConnection(self.path, timeout)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self.unreachable(error) from None
        finally:
            connection.close()
        if "json" not in (response.getheader("Content-Type") or ""):
            return response.status, raw
        try:
            return response.status, json.loads(raw) if raw else {}
        except ValueError as error:
            raise EngineError("engine", f"{method} {target}: not JSON: {error}") from None

    def unreachable(self, error: Exception) -> EngineError:
        """Turn a failed connection into the error that says where and why."""
        self._version = None
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return EngineError("unreachable", f"no Docker engine answers at {self.docker}: {cause}")

    def attach(self, container: str, stdin: bool) -> Attached:
        """Attach to a container's streams, before it is started."""
        version = self.api_version()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(self.timeout)
        try:
            sock.connect(self.path)
            query = f"stream=1&stdout=1&stderr=1&stdin={int(stdin)}"
            sock.sendall(
                f"POST /v{version}/containers/{quote(container)}/attach?{query} HTTP/1.1\r\n"
                "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            head = b""
            while b"\r\n\r\n" not in head:
                chunk = sock.recv(4096)
                if not chunk or len(head) > 65_536:
                    raise OSError("the engine closed the stream")
                head += chunk
        except OSError as error:
            sock.close()
            raise self.unreachable(error) from None
        status, _, rest = head.partition(b"\r\n\r\n")
        if status.split(b" ")[1:2] not in ([b"101"], [b"200"]):
            sock.close()
            raise EngineError("engine", f"attach: the engine answered {status[:80]!r}")
        return Attached(sock, rest)


class Attached:
    """The hijacked connection of an attached container: frames of stdout and stderr."""

    def __init__(self, sock: socket.socket, rest: bytes) -> None:
        self.sock = sock
        self.buffer = bytearray(rest)

    def close(self) -> None:
        """Let go of the connection."""
        self.sock.close()

    def send(self, data: bytes, deadline: float) -> None:
        """Write the container's standard input and close it; a reader that left is no error."""
        try:
            self.sock.settimeout(max(0.05, deadline - time.monotonic()))
            self.sock.sendall(data)
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def frame(self, deadline: float) -> tuple[int, bytes] | None:
        """Return the next (stream, data), None at the end.

        Raises:
            TimeoutError: the deadline (of ``time.monotonic``) passed.
        """
        while True:
            if len(self.buffer) >= 8:
                stream, size = struct.unpack_from(">BxxxL", self.buffer)
                if len(self.buffer) >= 8 + size:
                    data = bytes(self.buffer[8 : 8 + size])
                    del self.buffer[: 8 + size]
                    return stream, data
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left)
            try:
                chunk = self.sock.recv(65_536)
            except ConnectionError:
                return None
            if not chunk:
                return None
            self.buffer += chunk


def demultiplex(raw: bytes) -> bytes:
    """Join the frames of a log without a terminal into one text."""
    out = bytearray()
    at = 0
    while at + 8 <= len(raw):
        (size,) = struct.unpack_from(">L", raw, at + 4)
        out += raw[at + 8 : at + 8 + size]
        at += 8 + size
    return bytes(out)


def _pair(version: Any) -> tuple[int, int]:
    major, _, minor = str(version).partition(".")
    try:
        return int(major), int(minor)
    except ValueError:
        raise EngineError("unsupported", f"the engine names its API {version!r}") from None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
