"""HTTP/2 over TLS, against a server made of the ``h2`` package."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest

from agentcore.http import ProtocolError, ResponseTooLargeError, Retries
from tests.http.conftest import Certificates

COMPONENT = "agent_core_utils"
Make = Callable[..., Any]
BIG = bytes(range(256)) * 4000


class Conversation:
    """One connection: answers each stream by its path."""

    def __init__(self, sock: ssl.SSLSocket, number: int, seen: list[tuple[str, int]]) -> None:
        self._sock = sock
        self._number = number
        self._seen = seen
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        self._connection = h2.connection.H2Connection(config)
        self._bodies: dict[int, bytearray] = {}
        self._headers: dict[int, dict[str, str]] = {}
        self._waiting: dict[int, bytes] = {}

    def serve(self) -> None:
        self._connection.initiate_connection()
        self._flush()
        while data := self._sock.recv(65536):
            for event in self._connection.receive_data(data):
                self._on(event)
            self._push()
            self._flush()

    def _flush(self) -> None:
        self._sock.sendall(self._connection.data_to_send())

    def _on(self, event: Any) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers: Any = event.headers
            self._headers[event.stream_id] = dict(headers)
            self._bodies[event.stream_id] = bytearray()
        elif isinstance(event, h2.events.DataReceived):
            self._bodies[event.stream_id] += event.data
            self._connection.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id
            )
        elif isinstance(event, h2.events.StreamEnded):
            self._answer(event.stream_id)

    def _answer(self, stream: int) -> None:
        headers, body = self._headers[stream], bytes(self._bodies[stream])
        path = headers[":path"]
        self._seen.append((path, self._number))
        if path == "/reset":
            self._connection.reset_stream(stream, 2)
        elif path == "/close":
            raise ConnectionError
        elif path == "/away":
            self._connection.close_connection(last_stream_id=0)
        elif path == "/empty":
            self._connection.send_headers(stream, [(":status", "204")], end_stream=True)
        else:
            body = BIG if path == "/big" else body
            told = [("content-length", str(len(body)))] if path == "/big" else []
            answer = [(":status", "200"), ("a", "1"), ("b", headers.get("x-b", "-")), ("a", "2")]
            self._connection.send_headers(stream, [*answer, *told])
            self._waiting[stream] = body

    def _push(self) -> None:
        for stream, body in list(self._waiting.items()):
            while body:
                room = min(
                    self._connection.local_flow_control_window(stream),
                    self._connection.max_outbound_frame_size,
                )
                if not room:
                    break
                self._connection.send_data(stream, body[:room])
                body = body[room:]
            self._waiting[stream] = body
            if not body:
                self._connection.end_stream(stream)
                del self._waiting[stream]


class Server:
    def __init__(self, context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["h2"])
        self._context = context
        self.seen: list[tuple[str, int]] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        errors = OSError, h2.exceptions.ProtocolError
        with sock, contextlib.suppress(*errors):
            sock.settimeout(30)
            with self._context.wrap_socket(sock, server_side=True) as secured:
                Conversation(secured, number, self.seen).serve()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Server]:
    one = Server(certificates.server("two", "IP:127.0.0.1"))
    yield one
    one.close()


def test_requests_and_answers(make: Make, certificates: Certificates, server: Server) -> None:
    client = make(ca_file=certificates.ca)
    for _ in range(3):
        response = client.post(f"{server.url}/x?q", b"body", headers={"X-B": "v"})
        assert (response.status, response.http_version, response.content) == (200, "2", b"body")
        assert response.headers == (("a", "1"), ("a", "2"), ("b", "v"))
    assert client.get(f"{server.url}/empty").status == 204
    assert client.request("HEAD", f"{server.url}/empty").content == b""
    assert client.post(f"{server.url}/x", iter([b"a", b"", b"b" * 100_000])).content[:2] == b"ab"
    assert client.post(f"{server.url}/x", b"").content == b""
    assert len({number for _, number in server.seen}) == 1


def test_large_bodies_both_ways(make: Make, certificates: Certificates, server: Server) -> None:
    client = make(ca_file=certificates.ca)
    assert client.get(f"{server.url}/big").content == BIG
    assert client.post(f"{server.url}/x", BIG).content == BIG
    status, pieces = client.read_stream("GET", f"{server.url}/big")
    assert (status, b"".join(pieces)) == (200, BIG)
    with pytest.raises(ResponseTooLargeError, match="larger than 1000 bytes"):
        client.request("GET", f"{server.url}/big", max_bytes=1000)
    with pytest.raises(ResponseTooLargeError, match="larger than 9 bytes"):
        client.request("POST", f"{server.url}/x", body=b"0123456789", max_bytes=9)


def test_many_at_once(make: Make, certificates: Certificates, server: Server) -> None:
    client = make(ca_file=certificates.ca)
    found = client.fetch_many([f"{server.url}/x"] * 30, limit=4)
    assert [one.status for one in found] == [200] * 30


def test_a_server_that_breaks_off(make: Make, certificates: Certificates, server: Server) -> None:
    client = make(ca_file=certificates.ca, retries=Retries(attempts=1))
    for path, text in (
        ("/reset", "the server reset the stream"),
        ("/close", "the connection closed before a response came"),
        ("/away", "the connection closed before a response came"),
    ):
        with pytest.raises(ProtocolError) as caught:
            client.post(f"{server.url}{path}", b"x")
        assert str(caught.value) == f"POST {server.url}{path}: {text}"
    assert client.get(f"{server.url}/x").status == 200


def test_it_can_be_left_out(make: Make, certificates: Certificates, server: Server) -> None:
    client = make(ca_file=certificates.ca, http2=False, retries=Retries(attempts=1))
    with pytest.raises(ProtocolError):
        client.get(f"{server.url}/x")
