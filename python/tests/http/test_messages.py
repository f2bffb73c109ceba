"""Addresses and responses: the native parsers against the twin's, generated and by rule."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentcore.http import twin
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]
LIMIT = 64


def native_of(both: Both) -> Any:
    return both[1].native(COMPONENT)


def outcome(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except (ValueError, UnicodeEncodeError) as error:
        return type(error), str(error)


url_text = st.one_of(
    st.text(max_size=40),
    st.text("htps:/?#[]@.:0123456789abAB \t\u00fc%-_\\", max_size=30),
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["http://", "HTTPS://", "https://", "ftp://", "http:/"]),
            st.sampled_from(["h", "A.b", "[::1]", "[1::2:]", "[::ffff:1.2.3.4]", "a..b", "", "1.2",
                             "u@h", "\u00fc.de", "-", "a_b", "x" * 254]),
            st.sampled_from(["", ":", ":80", ":0", ":65535", ":65536", ":+1", ":000080", "x"]),
            st.sampled_from(["", "/", "/a/../b", "?q=1", "#f", "/p?q#f", "/\u00fc", "\\x"]),
            st.text("ab/.?#%\u00e9 ", max_size=6),
        ),
    ),
)  # fmt: skip


@settings(max_examples=800, deadline=None)
@given(url_text)
@example("http://h:8\ud800/")
@example("http://" + "a" * 8192)
def test_addresses_mean_the_same(both: Both, text: str) -> None:
    native = native_of(both)
    assert outcome(native.http_parse_url, text) == outcome(twin.http_parse_url, text)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["http://h/a/b?c", "https://h:8/", "http://h/a/"]),
    st.one_of(
        st.binary(max_size=20),
        st.text("abc/.?#:%@[] \u00fc", max_size=14).map(lambda text: text.encode()),
    ),
)
def test_locations_mean_the_same(both: Both, base: str, location: bytes) -> None:
    native = native_of(both)
    assert outcome(native.http_join, base, location) == outcome(twin.http_join, base, location)


lines = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 ", b"HTTP/1.1 304", b"HTTP/1.1 099 X",
     b"HTTP/1.1 200 \xff\t", b"HTTP/1.1  200 OK", b"HTTP/2 200 OK", b"HTTP/1.1 2000 OK", b"",
     b"HTTP/1.1 200 O\x01K"]
)  # fmt: skip
fields = st.sampled_from(
    [b"Content-Length: 5", b"Content-Length: 5, 5", b"content-length: 4", b"Content-Length: +5",
     b"Content-Length:", b"Content-Length: 65", b"Content-Length: 99999999999999999999",
     b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
     b"transfer-encoding:\tChunked ", b"Connection: close", b"Connection: a, Keep-Alive",
     b"X: y", b"X:", b"X : y", b" folded", b"X: a\rb", b"X: \x00", b"\xffX: y", b"X: \xff\t y ",
     b":y", b"nocolon", b"X\x80: y"]
)  # fmt: skip
ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n"])
bodies = st.sampled_from(
    [b"", b"hello", b"hello!", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\nx",
     b"005 \r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"0\r\n\r\n",
     b"41\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello", b"g\r\n", b"\r\n",
     b"0\r\nbad\r\n\r\n",
     b"5\r\nhello\r\n0\r\n\r", b"5 x\r\nhello\r\n", b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", b"x" * 65]
)  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    parts = [draw(lines), draw(ends)]
    for each in draw(st.lists(fields, max_size=4)):
        parts += [each, draw(ends)]
    parts += [draw(ends), draw(bodies)]
    data = b"".join(parts)
    if draw(st.booleans()) and data:
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    return data


@settings(max_examples=2000, deadline=None)
@given(st.one_of(responses(), st.binary(max_size=60)), st.lists(st.integers(0, 200), max_size=4),
       st.booleans())  # fmt: skip
@example(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n", [], False)
@example(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100 + b"\r\n", [], False)
@example(b"HTTP/1.1 200 OK\r\na: " + b"b" * 65536 + b"\r\n\r\n", [], False)
@example(b"HTTP/1.1 200 OK\r\na: " + b"b" * 65536, [9], False)
@example(b"\r\nHTTP/1.1 200 OK\r\n\r\n", [], False)
def test_responses_are_read_the_same(
    both: Both, data: bytes, cuts: list[int], head_request: bool
) -> None:
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges) if b > a]
    native = native_of(both)
    ours = outcome(native.http_parse_response, pieces, head_request, LIMIT)
    assert ours == outcome(twin.http_parse_response, pieces, head_request, LIMIT)
    whole = outcome(native.http_parse_response, [data], head_request, LIMIT)
    assert ours == whole  # how bytes arrive changes nothing


@pytest.fixture(params=["python", "native"])
def parse(request: pytest.FixtureRequest, both: Both) -> Any:
    module = twin if request.param == "python" else native_of(both)
    return lambda *pieces: module.http_parse_response(list(pieces), False, LIMIT)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 1, 2",
        b"Content-Length: -1",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"A: b\r\n folded",
        b"A : b",
        b"A: b\n",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(parse: Any, head: bytes) -> None:
    with pytest.raises(ValueError, match=r"^protocol: "):
        parse(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n0\r\n\r\n")


def test_what_lies_behind_the_body_is_left(parse: Any) -> None:
    answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"\r\nhiHTTP/1.1 408 late\r\n\r\n")
    assert answer[3:] == (b"hi", True, b"HTTP/1.1 408 late\r\n\r\n")


def test_a_body_larger_than_the_limit_is_refused(parse: Any) -> None:
    for framing in (b"Content-Length: 65\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n41\r\n",
                    b"\r\n" + b"x" * 65):  # fmt: skip
        with pytest.raises(ValueError, match=r"^too_large: the response's body is larger than 64"):
            parse(b"HTTP/1.1 200 OK\r\n" + framing)
