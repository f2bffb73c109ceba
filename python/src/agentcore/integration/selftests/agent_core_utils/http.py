"""What the HTTP client of ``agent_core_utils`` must answer, without a network."""

from __future__ import annotations

import math
from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]

_RULES = (3, 0.1, 10.0, 60.0, 0.1, 10.0, 2.0, 1.0, 2, 30.0, 5)


def _urls(ns: Any) -> object:
    return (
        ns.http_parse_url("HTTP://Example.org?q=\u00fc#f"),
        ns.http_join("http://h/a/b?c", b"../x/./y?z"),
        _refusal(ns.http_parse_url, "http://user@h/"),
    )


def _responses(ns: Any) -> object:
    pieces = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: \xe9 \r", b"\n\r\n3;a\r\nabc\r",
              b"\n0\r\n\r\nrest"]  # fmt: skip
    both = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    return (
        ns.http_parse_response(pieces, False, 64),
        _refusal(ns.http_parse_response, [both], False, 64),
        _refusal(ns.http_parse_response, [b"HTTP/1.1 200 OK\r\n a: b\r\n\r\n"], False, 64),
    )


def _course(ns: Any) -> object:
    course = ns.HttpCourse(_RULES, 0.0)
    fields = [("Authorization", "s")]
    course.start("POST", "https://a.org/x", fields, True, True, None, math.inf, 0.0)
    told = [course.begin(0.0)]
    elsewhere = [("location", b"//b.org"), ("set-cookie", b"k=v")]
    told.append(course.answered(303, elsewhere, 0.0, 0.0, 0.5))
    told.append(course.begin(0.0))
    told.append(course.begin(0.5))
    told.append(course.answered(503, [("retry-after", b"7")], 1.0, 0.0, 0.5))
    told.append(course.begin(8.0))
    told.append(course.failed("timeout", "late", True, False, 9.0, 0.5))
    told.append(course.begin(10.0))
    return told, course.state(10.0)


def _refusal(call: Any, *arguments: Any) -> str:
    try:
        return f"accepted: {call(*arguments)!r}"
    except ValueError as error:
        return str(error)


# fmt: off
VECTORS: tuple[Vector, ...] = (
    Vector(
        "http addresses",
        _urls,
        (
            ("http", "example.org", 80, "/?q=%C3%BC"),
            "http://h/x/y?z",
            "input: the URL holds a user name or password; expected an 'authorization' header",
        ),
    ),
    Vector(
        "http responses",
        _responses,
        (
            (200, "1.1", (("transfer-encoding", "chunked"), ("x", "\u00e9")), b"abc", True,
             b"rest"),
            "protocol: the response has both Content-Length and Transfer-Encoding",
            "protocol: the response's head is malformed, or has more than 100 fields",
        ),
    ),
    Vector(
        "http course",
        _course,
        (
            [
                ("send", 0.0, "", ""),
                ("again", 0.0, "", ""),
                ("wait", 0.5, "", ""),
                ("send", 0.0, "", ""),
                ("wait", 7.0, "", ""),
                ("send", 0.0, "", ""),
                ("wait", 0.1, "", ""),
                ("fail", 0.0, "circuit",
                 "https://b.org:443 failed 2 times in a row and is left alone for 29 s"),
            ],
            (
                "GET", "https://b.org/", (), False, ("https://a.org/x",), 3, None, "open",
                (3, 1, 0, 1, 1, 2, 1, 1, 1),
            ),
        ),
    ),
)
