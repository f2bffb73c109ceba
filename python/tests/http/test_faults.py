"""Servers that misbehave: what the caller sees is the same from all four clients."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from agentcore.http import (
    ConnectError,
    DeadlineError,
    HttpTimeoutError,
    PoolTimeoutError,
    ProtocolError,
    ProxyError,
    Retries,
    Timeouts,
)
from tests.http.server import Conversation, Request, reply, says, serving

COMPONENT = "agent_core_utils"
Make = Callable[..., Any]
ONCE = Retries(attempts=1)
INCOMPLETE = "the connection closed before the response was complete"


def eventually(holds: Callable[[], bool]) -> None:
    """Poll, with patience: other work may keep this machine busy."""
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def half(data: bytes) -> Any:
    """Send what is given, then close."""

    def route(_request: Request, conversation: Conversation) -> None:
        conversation.send(data)

    return route


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the connection closed before a response came"),
        (b"HTTP/1.1 20", INCOMPLETE),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", INCOMPLETE),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", INCOMPLETE),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
         "the response's chunks are malformed"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
         "the response has both Content-Length and Transfer-Encoding"),
        (b"SSH-2.0-OpenSSH\r\n",
         "the response's head is malformed, or has more than 100 fields"),
        (b"HTTP/1.1 101 Switch\r\n\r\n", "the response is an interim one that was not asked for"),
    ],
)  # fmt: skip
def test_broken_answers(make: Make, data: bytes, text: str) -> None:
    with serving(x=half(data)) as server:
        client = make(retries=ONCE)
        with pytest.raises(ProtocolError) as caught:
            client.get(f"{server.url}/x")
        assert str(caught.value) == f"GET {server.url}/x: {text}"
        with pytest.raises(ProtocolError):
            client.post(f"{server.url}/x", b"body")
        assert len(server.asked("/x")) == 2
        assert client.metrics()[f"http://127.0.0.1:{server.port}"].failures == 2


def test_an_answer_may_end_with_the_connection(make: Make) -> None:
    with serving(x=half(b"HTTP/1.1 200 OK\r\n\r\nto the end")) as server:
        assert make().get(f"{server.url}/x").content == b"to the end"


def test_broken_answers_are_tried_again(make: Make) -> None:
    turns = iter([b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", None])

    def route(_request: Request, conversation: Conversation) -> bytes | None:
        turn = next(turns)
        if turn is None:
            return reply(b"whole")
        conversation.send(turn)
        return None

    with serving(x=route) as server:
        response = make(sleep=lambda _seconds: None).get(f"{server.url}/x")
        assert (response.content, response.requests_sent) == (b"whole", 3)


def test_a_late_408_is_no_answer_to_the_next_request(make: Make) -> None:
    """The server sends two answers to one request: the second must not be believed."""
    stray = b"HTTP/1.1 408 Late\r\ncontent-length: 0\r\n\r\n"
    sent = threading.Event()

    def first(_request: Request, conversation: Conversation) -> None:
        conversation.send(reply(b"first"))
        time.sleep(0.05)  # apart from the answer, as a late one comes
        conversation.send(stray)
        sent.set()
        conversation.sock.recv(1)

    with serving(a=first, b=says(reply(b"second"))) as server:
        client = make()
        assert client.get(f"{server.url}/a").content == b"first"
        assert sent.wait(30)
        time.sleep(0.2)  # on loopback what was sent has arrived; more than enough
        assert client.post(f"{server.url}/b").content == b"second"
        a, b = server.asked("/a")[0], server.asked("/b")[0]
        assert a.connection != b.connection


def test_bytes_behind_an_answer_end_its_connection(make: Make) -> None:
    with serving(a=says(reply(b"one") + b"HTTP/1.1 200 Smuggled\r\n\r\n"),
                 b=says(reply(b"two"))) as server:  # fmt: skip
        client = make()
        assert client.get(f"{server.url}/a").content == b"one"
        assert client.get(f"{server.url}/b").content == b"two"
        assert server.asked("/a")[0].connection != server.asked("/b")[0].connection


def test_a_connection_that_was_closed_while_idle_is_not_used(make: Make) -> None:
    def last(_request: Request, conversation: Conversation) -> None:
        conversation.send(reply(b"bye"))

    with serving(x=last) as server:
        client = make(retries=ONCE)
        for _ in range(5):
            assert client.get(f"{server.url}/x").content == b"bye"
            time.sleep(0.02)


def test_a_connection_that_dies_unused_costs_an_idempotent_request_nothing(make: Make) -> None:
    """The server reads a second request, and closes without a word."""

    def once(request: Request, conversation: Conversation) -> bytes | None:
        first = next(r for r in server.requests if r.connection == conversation.number)
        return reply(b"hi") if request is first else None

    with serving(x=once) as server:
        client = make(retries=ONCE)
        for _ in range(4):
            response = client.get(f"{server.url}/x")
            assert (response.content, response.requests_sent) == (b"hi", 1)
        with pytest.raises(ProtocolError):
            client.get(f"{server.url}/x")
            client.post(f"{server.url}/x")


def test_nobody_listens(make: Make) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else can answer there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        client = make(sleep=lambda _seconds: None)
        with pytest.raises(ConnectError) as caught:
            client.post(f"http://127.0.0.1:{port}/", iter([b"a"]))
        text = f"no connection to 127.0.0.1:{port}: Connection refused"
        assert str(caught.value) == f"POST http://127.0.0.1:{port}/: {text}"
        assert client.metrics()[f"http://127.0.0.1:{port}"].retries == 2
        nowhere = "x" * 64 + ".invalid"  # a label too long to be asked for: no server is needed
        with pytest.raises(ConnectError, match=f"the address of '{nowhere}' can not be found"):
            client.get(f"http://{nowhere}/")


def test_names_are_looked_up(make: Make) -> None:
    with serving(x=says(reply(b"hi"))) as server:
        assert make().get(f"http://localhost:{server.port}/x").content == b"hi"


def silent(_request: Request, conversation: Conversation) -> None:
    conversation.sock.recv(1)  # until the other side goes


def test_a_server_that_says_nothing(make: Make) -> None:
    with serving(x=silent) as server:
        client = make(retries=ONCE, timeouts=Timeouts(read=0.3))
        with pytest.raises(HttpTimeoutError) as caught:
            client.get(f"{server.url}/x")
        assert str(caught.value) == f"GET {server.url}/x: nothing was received for 0.3 s"
        assert type(caught.value) is HttpTimeoutError
        with pytest.raises(DeadlineError) as late:
            client.get(f"{server.url}/x", deadline=0.25)
        assert str(late.value) == f"GET {server.url}/x: it was not done within 0.25 s"


def test_a_server_that_stops_in_the_middle(make: Make) -> None:
    def stops(_request: Request, conversation: Conversation) -> None:
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        conversation.sock.recv(1)

    with serving(x=stops) as server:
        client = make(retries=ONCE, timeouts=Timeouts(read=0.3))
        with pytest.raises(HttpTimeoutError, match=r"nothing was received for 0\.3 s"):
            client.get(f"{server.url}/x")
        with pytest.raises(HttpTimeoutError, match=r"nothing was received for 0\.3 s"):
            client.read_stream("GET", f"{server.url}/x")


def test_a_stream_that_breaks_off(make: Make) -> None:
    with serving(x=half(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")) as server:
        with pytest.raises(ProtocolError) as caught:
            make().read_stream("GET", f"{server.url}/x")
        assert str(caught.value) == f"GET {server.url}/x: {INCOMPLETE}"


def test_an_answer_before_the_request_is_out(make: Make) -> None:
    def refuses(conversation: Conversation) -> None:
        while conversation.line():
            pass
        conversation.send(reply(b"too much", 413, "connection: close"))
        conversation.sock.recv(1 << 16)
        conversation.sock.settimeout(0.5)
        try:
            while conversation.sock.recv(1 << 20):
                pass
        except OSError:
            pass

    # Its own server: the ordinary one reads whole requests.
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock:
                    sock.settimeout(30)
                    try:
                        refuses(Conversation(sock, 0))
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        response = make(retries=ONCE).post(url, b"x" * 30_000_000)
        assert (response.status, response.content) == (413, b"too much")
        listener.shutdown(socket.SHUT_RDWR)


def test_places_under_way_are_bounded(make: Make) -> None:
    release = threading.Event()
    seen: list[int] = []
    lock = threading.Lock()

    def slowly(_request: Request, _conversation: Conversation) -> bytes:
        with lock:
            seen.append(1)
        assert release.wait(30)
        return reply(b"done")

    with serving(x=slowly, y=says(reply())) as server:
        client = make(max_connections=2, retries=ONCE, timeouts=Timeouts(pool=0.3))

        def let_go() -> None:
            eventually(lambda: len(seen) >= 2)
            time.sleep(1.5)
            release.set()

        helper = threading.Thread(target=let_go)
        helper.start()
        found = client.fetch_many([f"{server.url}/x"] * 4, limit=4)
        helper.join(30)
        late = [one for one in found if isinstance(one, PoolTimeoutError)]
        assert len(late) == 2
        assert str(late[0]) == f"GET {server.url}/x: no connection became free within 0.3 s"
        assert [one.content for one in found if one not in late] == [b"done"] * 2
        assert client.get(f"{server.url}/y").status == 200


def test_a_plain_request_through_a_proxy(make: Make) -> None:
    def proxied(request: Request, _conversation: Conversation) -> bytes:
        return reply(request.target.encode())

    with serving() as proxy:
        proxy.routes["*"] = proxied
        client = make(proxy=proxy.url, proxy_authorization="Basic eDp5")
        assert client.get("http://example.org:81/a?b").content == b"http://example.org:81/a?b"
        (request,) = [each for each in proxy.requests if "example.org" in each.target]
        assert request.headers["proxy-authorization"] == "Basic eDp5"
        assert request.headers["host"] == "example.org:81"


def test_a_proxy_that_refuses(make: Make) -> None:
    with serving() as proxy:
        proxy.routes["*"] = says(reply(b"", 407))
        with pytest.raises(ProxyError) as caught:
            make(proxy=proxy.url).get("https://example.org/")
        assert str(caught.value) == (
            "GET https://example.org/: the proxy answered CONNECT with 407"
        )
    with serving() as proxy:
        proxy.routes["*"] = half(b"")
        with pytest.raises(ProxyError, match="the proxy closed the connection"):
            make(proxy=proxy.url).get("https://example.org/")
