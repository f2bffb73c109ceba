"""FastHttpClient against a real server: both implementations, blocking and in asyncio."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from agentcore.errors import InputError
from agentcore.http import (
    CircuitOpenError,
    ConnectError,
    DeadlineError,
    HttpClosedError,
    HttpRequest,
    RedirectError,
    ResponseTooLargeError,
    Retries,
)
from tests.http.server import Conversation, Request, reply, says, serving

COMPONENT = "agent_core_utils"
Make = Callable[..., Any]
NO_CREDENTIALS = "the URL holds a user name or password; expected an 'authorization' header"


def echo(request: Request, _conversation: Conversation) -> bytes:
    return reply(request.body, 200, f"x-method: {request.method}")


def test_a_response_is_all_there(make: Make) -> None:
    answer = reply(b'{"a": "\xc3\xbc"}', 200, "X-Twice: 1", "x-twice: \xe9 ", "Empty:")
    with serving(x=says(answer)) as server:
        response = make().get(f"{server.url}/x?q=1#f")
        assert response.status == 200
        assert response.json() == {"a": "\u00fc"}
        assert response.text() == '{"a": "\u00fc"}'
        assert response.headers == (
            ("content-length", "11"), ("x-twice", "1"), ("x-twice", "\u00e9"), ("empty", ""),
        )  # fmt: skip
        assert response.header("X-TWICE") == "1"
        assert response.header("gone") is None
        assert response.header("gone", "-") == "-"
        assert response.url == f"{server.url}/x?q=1"
        assert (response.http_version, response.history, response.requests_sent) == ("1.1", (), 1)
        assert repr(response) == f"<Response 200 of 11 bytes from {server.url}/x?q=1>"


def test_a_request_is_what_was_asked_for(make: Make) -> None:
    with serving(x=says(reply())) as server:
        client = make(headers={"User-Agent": "mine"})
        headers = [("X-A", "\u00e9"), ("Accept", b"text/plain"), ("X-A", "2")]
        client.request("PATCH", f"{server.url}/x?a=\u00fc", headers, "b\u00fc")
        (request,) = server.asked("/x")
        assert (request.method, request.target) == ("PATCH", "/x?a=%C3%BC")
        assert request.body == "b\u00fc".encode()
        assert request.headers == {
            "host": f"127.0.0.1:{server.port}", "accept-encoding": "identity", "user-agent": "mine",
            "x-a": "2", "accept": "text/plain", "content-length": "3",
        }  # fmt: skip


@pytest.mark.parametrize("body", [b"abc", bytearray(b"abc"), memoryview(b"abc"), "abc",
                                  [b"a", b"", "bc"]])  # fmt: skip
def test_bodies(make: Make, body: Any) -> None:
    with serving(x=echo) as server:
        assert make().post(f"{server.url}/x", body).content == b"abc"


def test_large_bodies_both_ways(make: Make) -> None:
    data = bytes(range(256)) * 8192
    with serving(x=echo) as server:
        client = make()
        assert client.post(f"{server.url}/x", data).content == data
        pieces = (data[at : at + 70_000] for at in range(0, len(data), 70_000))
        assert client.post(f"{server.url}/x", pieces).content == data


def test_what_a_body_raises_is_the_callers(make: Make) -> None:
    def pieces() -> Any:
        yield b"a"
        raise LookupError("gone")

    with serving(x=echo) as server:
        client = make()
        with pytest.raises(LookupError, match="gone"):
            client.post(f"{server.url}/x", pieces())
        with pytest.raises(TypeError, match="a piece of the body must be bytes, got int"):
            client.post(f"{server.url}/x", [1])
        with pytest.raises(TypeError, match="body must be bytes, str or an iterable of bytes, got"):
            client.post(f"{server.url}/x", 5)


def test_connections_are_kept(make: Make) -> None:
    with serving(x=says(reply(b"hi"))) as server:
        client = make()
        for _ in range(5):
            assert client.get(f"{server.url}/x").content == b"hi"
        assert len({request.connection for request in server.asked("/x")}) == 1
        metrics = client.metrics()[f"http://127.0.0.1:{server.port}"]
        assert (metrics.opened, metrics.reused, metrics.received) == (1, 4, 10)
        assert (metrics.requests, metrics.good, metrics.breaker) == (5, 5, "closed")


def test_methods_without_a_body_in_the_answer(make: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
    with serving(x=says(head), n=says(b"HTTP/1.1 204 No\r\n\r\n")) as server:
        client = make()
        response = client.request("HEAD", f"{server.url}/x")
        assert (response.content, response.header("content-length")) == (b"", "5")
        assert client.get(f"{server.url}/n").content == b""
        assert client.get(f"{server.url}/n").status == 204


def test_interim_answers_are_passed_over(make: Make) -> None:
    hint = b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
    with serving(x=says(hint + hint + reply(b"hi"))) as server:
        assert make().get(f"{server.url}/x").content == b"hi"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("ftp://x/", "the URL must begin with 'http://' or 'https://'"),
        ("http://u:p@x/", NO_CREDENTIALS),
        ("http://\u00fc.org/", "the URL's host is not ASCII; expected its form for DNS, 'xn--…'"),
        ("http://x/a b", "the URL holds a space or a control character at position 10"),
        ("http://x:99999/", "the URL's port '99999' is none; expected 1 to 65535"),
    ],
)  # fmt: skip
def test_bad_addresses(make: Make, url: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        make().get(url)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"a\r\nb": "c"}, "the header name 'a??b' is not a token"),
        ({"a": "b\r\nc: d"}, "the value of the header 'a' holds a control character"),
        ({"Host": "x"}, "the header 'host' is set by the client itself"),
        ({"a": "\u20ac"}, "the value of the header 'a' is not Latin-1"),
    ],
)
def test_nothing_can_be_injected(make: Make, headers: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        make().get("http://127.0.0.1:1/", headers)
    assert str(caught.value) == text


def test_other_bad_input(make: Make) -> None:
    client = make()
    for method in ("get", "CONNECT", "GET /", ""):
        with pytest.raises(InputError, match=r"the method '.*' is none"):
            client.request(method, "http://127.0.0.1:1/")
    for deadline in (0, -1, float("nan"), "x"):
        with pytest.raises(InputError, match="deadline must be a positive number of seconds"):
            client.get("http://127.0.0.1:1/", deadline=deadline)
    with pytest.raises(TypeError, match="a header's name must be str, got int"):
        client.get("http://127.0.0.1:1/", {1: "x"})
    with pytest.raises(InputError, match="no such option"):
        make(verify=False)
    with pytest.raises(InputError, match="seconds above 0"):
        make(deadline=0)


def test_redirects(make: Make) -> None:
    routes: dict[str, Any] = {
        "a": says(reply(b"", 302, "Location: b?x")), "b": says(reply(b"", 303, "location: /c")),
        "c": echo, "loop": says(reply(b"", 307, "location: /loop")), "none": says(reply(b"", 302)),
        "bad": says(reply(b"", 302, "location: mailto:x")),
    }  # fmt: skip
    with serving(**routes) as server:
        client = make(max_redirects=3)
        response = client.post(f"{server.url}/a", b"body")
        assert (response.content, response.header("x-method")) == (b"", "GET")
        assert response.history == (f"{server.url}/a", f"{server.url}/b?x")
        assert response.requests_sent == 3
        with pytest.raises(RedirectError) as caught:
            client.get(f"{server.url}/loop")
        assert str(caught.value) == f"GET {server.url}/loop: more than 3 redirects"
        assert len(server.asked("/loop")) == 4
        assert client.get(f"{server.url}/none").status == 302
        with pytest.raises(RedirectError, match="the redirect leads nowhere"):
            client.get(f"{server.url}/bad")
        assert make(max_redirects=0).get(f"{server.url}/loop").status == 307


def test_a_redirect_elsewhere_loses_the_secrets(make: Make) -> None:
    with serving(x=says(reply())) as other:
        there = says(reply(b"", 307, f"location: {other.url}/x"))
        with serving(x=there) as server:
            secrets = {"Authorization": "s", "X-Kept": "k"}
            make().request("PUT", f"{server.url}/x", secrets, b"body")
            (request,) = other.asked("/x")
            assert "authorization" not in request.headers
            assert (request.method, request.body) == ("PUT", b"body")
            assert request.headers["x-kept"] == "k"
            assert server.asked("/x")[0].headers["authorization"] == "s"


def test_cookies(make: Make) -> None:
    with serving(set=says(reply(b"", 302, "set-cookie: a=1; path=/", "location: /x")),
                 x=says(reply())) as server:  # fmt: skip
        client = make()
        client.get(f"{server.url}/set")
        client.get(f"{server.url}/x", {"Cookie": "own=1"})
        make(cookies=False).get(f"{server.url}/set")
        sent = [request.headers.get("cookie") for request in server.asked("/x")]
        assert sent == ["a=1", "own=1", None]


def test_retries_honor_retry_after_by_the_given_sleep(make: Make) -> None:
    slept: list[float] = []
    busy = reply(b"", 503, "retry-after: 7")
    with serving(x=says(busy, busy, reply(b"ok"))) as server:
        client = make(sleep=slept.append, random=lambda: 0.5)
        response = client.get(f"{server.url}/x")
        assert (response.content, response.requests_sent, slept) == (b"ok", 3, [7.0, 7.0])
    with serving(x=says(reply(b"", 502))) as server:
        client = make(sleep=slept.append, random=lambda: 0.5)
        assert client.get(f"{server.url}/x").status == 502
        assert slept[2:] == [0.05, 0.1]
        assert client.post(f"{server.url}/x").status == 502
        assert len(server.asked("/x")) == 4
        metrics = client.metrics()[f"http://127.0.0.1:{server.port}"]
        assert (metrics.errors, metrics.retries) == (4, 2)


def test_the_rate_limit_waits_by_the_given_clock(make: Make) -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with serving(x=says(reply())) as server:
        client = make(rate=4, burst=2, clock=lambda: now[0], sleep=sleep)
        for _ in range(6):
            client.get(f"{server.url}/x")
        assert now[0] == 101.0
        with pytest.raises(DeadlineError, match=r"the rate limit would hold it for 0\.25 s, past"):
            client.get(f"{server.url}/x", deadline=0.1)
        assert client.metrics()[f"http://127.0.0.1:{server.port}"].limited == 5


def test_the_breaker(make: Make) -> None:
    now = [100.0]
    with serving(x=says(reply(b"", 500), reply(b"", 500), reply())) as server:
        client = make(breaker_failures=2, breaker_seconds=5, clock=lambda: now[0])
        for _ in range(2):
            assert client.get(f"{server.url}/x").status == 500
        with pytest.raises(CircuitOpenError) as caught:
            client.get(f"{server.url}/x")
        origin = f"http://127.0.0.1:{server.port}"
        text = f"{origin} failed 2 times in a row and is left alone for 5 s"
        assert str(caught.value) == f"GET {server.url}/x: {text}"
        assert client.metrics()[origin].breaker == "open"
        now[0] += 5
        assert client.metrics()[origin].breaker == "half-open"
        assert client.get(f"{server.url}/x").status == 200
        assert client.metrics()[origin].breaker == "closed"


def test_size_limits(make: Make) -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001
    with serving(a=says(reply(b"x" * 1001)), b=says(chunked), c=says(endless),
                 d=says(reply(b"x" * 1000))) as server:  # fmt: skip
        client = make(max_response_bytes=1000)
        for path in "abc":
            with pytest.raises(ResponseTooLargeError, match="body is larger than 1000 bytes"):
                client.get(f"{server.url}/{path}")
        assert len(client.get(f"{server.url}/d").content) == 1000
        with pytest.raises(ResponseTooLargeError, match="larger than 999 bytes"):
            client.request("GET", f"{server.url}/d", max_bytes=999)


def test_streams(make: Make) -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    step = threading.Event()

    def slowly(_request: Request, conversation: Conversation) -> bytes:
        conversation.send(chunked + b"3\r\none\r\n")
        assert step.wait(30)
        return b"3\r\ntwo\r\n0\r\n\r\n"

    with serving(x=slowly, e=says(reply(b"", 404)), big=says(reply(b"y" * 500_000))) as server:
        client = make()
        step.set()
        status, pieces = client.read_stream("GET", f"{server.url}/x")
        assert (status, b"".join(pieces)) == (200, b"onetwo")
        assert client.read_stream("GET", f"{server.url}/e") == (404, [])
        status, pieces = client.read_stream("GET", f"{server.url}/big")
        assert b"".join(pieces) == b"y" * 500_000
        assert client.get(f"{server.url}/e").status == 404
        assert (
            len({request.connection for request in server.requests if request.target != "/"}) == 1
        )


def test_fetch_many_keeps_the_order_and_gives_errors_as_values(make: Make) -> None:
    def number(request: Request, _conversation: Conversation) -> bytes:
        return reply(request.target.encode())

    with serving(n=number, p=echo) as server:
        urls = [f"{server.url}/n?{at}" for at in range(100)]
        more = [
            HttpRequest("POST", f"{server.url}/p", {"a": "b"}, b"x"),
            "bad",
            "http://127.0.0.1:1/",
        ]
        client = make(retries=Retries(attempts=1))
        found = client.fetch_many([*urls, *more], limit=7)
        assert [one.content for one in found[:100]] == [f"/n?{at}".encode() for at in range(100)]
        assert found[100].content == b"x"
        assert isinstance(found[101], InputError)
        assert isinstance(found[102], ConnectError)
        assert str(found[102]).startswith("GET http://127.0.0.1:1/: no connection to 127.0.0.1:1: ")
        assert client.fetch_many([]) == []
        with pytest.raises(TypeError, match=r"requests\[0\] must be a URL or an HttpRequest, got"):
            client.fetch_many([5])
        with pytest.raises(InputError, match="limit"):
            client.fetch_many(urls, limit=0)


def test_a_closed_client_refuses(make: Make) -> None:
    client = make()
    client.shut()
    with pytest.raises(HttpClosedError) as caught:
        client.get("http://127.0.0.1:1/")
    assert str(caught.value) == "the client is closed"
