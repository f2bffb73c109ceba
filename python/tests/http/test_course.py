"""Retries, limits, breakers, redirects and cookies: the machines of both, step by step."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcore.http import twin
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]
WALL = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT
RULES = (3, 0.1, 10.0, 60.0, 0.1, 10.0, 0.0, 1.0, 3, 30.0, 5)

rules = st.tuples(
    st.integers(1, 4), st.sampled_from([0.0, 0.1, 1.5]), st.sampled_from([0.0, 1.0, 10.0]),
    st.sampled_from([0.0, 5.0, 60.0]), st.sampled_from([0.0, 0.1, 1.0]),
    st.sampled_from([0.0, 1.0, 10.0]), st.sampled_from([0.0, 0.3, 2.0, 7.7]),
    st.sampled_from([1.0, 3.0]), st.integers(0, 3), st.sampled_from([0.5, 30.0]),
    st.integers(0, 3),
)  # fmt: skip
urls = st.sampled_from(
    ["http://a.org/x/y", "https://a.org/x", "http://b.a.org:8/?q", "https://b.a.org/x/y/z"]
)
request_fields = st.lists(
    st.sampled_from(
        [("Authorization", "s"), ("Cookie", "k=v"), ("Content-Type", "t"), ("X", "y"),
         ("Idempotency-Key", "1"), ("bad name", ""), ("Host", "x"), ("y", "a\nb")]
    ),
    max_size=3,
)  # fmt: skip
locations = st.sampled_from(
    [b"/x/q", b"http://a.org/x", b"https://a.org/x/", b"//b.a.org/", b"mailto:x", b"", b"\xff",
     b"http://a.org:80/z", b"?n"]
)  # fmt: skip
cookies = st.builds(
    lambda pair, attributes: b"; ".join([pair, *attributes]),
    st.sampled_from([b"a=1", b"b = 2 ", b"=x", b"novalue", b"a=", b"__Host-c=3", b"__Secure-d=4"]),
    st.lists(
        st.sampled_from(
            [b"Path=/x", b"path=/", b"PATH=x", b"Domain=a.org", b"domain=.b.a.org", b"Domain=c.org",
             b"Domain=", b"domain=rg", b"Secure", b"Max-Age=5", b"max-age=-1", b"Max-Age=x",
             b"Expires=Sun, 06 Nov 1994 08:49:47 GMT", b"Expires=Sun, 06-Nov-1994 08:49:27 GMT",
             b"Expires=never", b"HttpOnly", b""]
        ),
        max_size=4,
    ),
)  # fmt: skip
answer_fields = st.lists(
    st.one_of(
        st.tuples(st.just("Location"), locations),
        st.tuples(st.just("set-cookie"), cookies),
        st.tuples(
            st.just("Retry-After"),
            st.sampled_from([b"0", b"3", b"61", b"x", b"-1", b"Sun, 06 Nov 1994 08:49:41 GMT"]),
        ),
    ),
    max_size=3,
)
statuses = st.sampled_from([200, 204, 301, 302, 303, 307, 308, 404, 429, 500, 502, 503, 504])
kinds = st.sampled_from(
    "connect tls timeout deadline pool protocol too_large proxy closed body".split()
)
fractions = st.floats(0, 0.999)
calls = st.one_of(
    st.tuples(
        st.just("start"),
        st.tuples(
            st.sampled_from(["GET", "POST", "HEAD", "PUT", "PATCH"]), urls, request_fields,
            st.booleans(), st.booleans(), st.sampled_from([None, None, True, False]),
            st.sampled_from([math.inf, 2.0, 40.0]),
        ),
    ),
    st.tuples(st.just("begin"), st.just(())),
    st.tuples(st.just("begin"), st.just(())),
    st.tuples(st.just("answered"), st.tuples(statuses, answer_fields, fractions)),
    st.tuples(st.just("answered"), st.tuples(statuses, answer_fields, fractions)),
    st.tuples(st.just("failed"), st.tuples(kinds, st.booleans(), st.booleans(), fractions)),
    st.tuples(st.just("abandon"), st.just(())),
    st.tuples(st.just("tick"), st.tuples(st.sampled_from([0.01, 0.7, 5.0, 31.0]))),
)  # fmt: skip


def tell(course: Any, name: str, arguments: tuple[Any, ...], now: float) -> Any:
    try:
        if name == "start":
            return course.start(*arguments, now)
        if name == "begin":
            return course.begin(now)
        if name == "answered":
            status, headers, random = arguments
            return course.answered(status, headers, now, WALL + now, random)
        if name == "failed":
            kind, sent, stale, random = arguments
            return course.failed(kind, "it failed", sent, stale, now, random)
        return course.abandon()
    except ValueError as error:
        return str(error)


@settings(max_examples=800, deadline=None)
@given(rules, st.lists(calls, max_size=30))
def test_step_by_step_the_same(both: Both, numbers: Any, script: list[Any]) -> None:
    native = both[1].native(COMPONENT)
    assert native is not None
    ours, reference = native.HttpCourse(numbers, 0.0), twin.HttpCourse(numbers, 0.0)
    now = 0.0
    for course in (ours, reference):
        course.start("GET", "http://a.org/x/y", [], False, True, None, math.inf, now)
    for name, arguments in script:
        if name == "tick":
            now += arguments[0]
            continue
        expected = tell(reference, name, arguments, now)
        assert tell(ours, name, arguments, now) == expected, (name, arguments)
        assert ours.state(now) == reference.state(now)


@pytest.fixture(params=["python", "native"])
def course(request: pytest.FixtureRequest, both: Both) -> Any:
    module: Any = twin if request.param == "python" else both[1].native(COMPONENT)

    def made(method: str = "GET", numbers: Any = RULES, within: float = math.inf) -> Any:
        one = module.HttpCourse(numbers, 0.0)
        fields = [("authorization", "s"), ("content-type", "t")]
        one.start(method, "https://a.org/x", fields, method == "POST", True, None, within, 0.0)
        return one

    return made


def test_the_wait_doubles_and_jitters(course: Any) -> None:
    one = course()
    one.begin(0.0)
    assert one.answered(503, [], 0.0, WALL, 0.5) == ("wait", 0.05, "", "")
    one.begin(0.0)
    assert one.answered(503, [], 0.0, WALL, 0.5) == ("wait", 0.1, "", "")
    one.begin(0.0)
    assert one.answered(503, [], 0.0, WALL, 0.5)[0] == "done"  # the third is the last


def test_retry_after_is_honored_up_to_a_bound(course: Any) -> None:
    for value, expected in ((b"7", "wait"), (b"61", "done")):
        one = course()
        one.begin(0.0)
        assert one.answered(429, [("retry-after", value)], 0.0, WALL, 0.0)[0] == expected


def test_what_may_not_be_sent_twice_is_not(course: Any) -> None:
    one = course("POST")
    one.begin(0.0)
    assert one.failed("timeout", "late", True, False, 0.0, 0.0)[0] == "fail"
    one = course("POST")
    one.begin(0.0)
    assert one.failed("connect", "no", False, False, 0.0, 0.0)[0] == "wait"


def test_a_retry_that_would_end_too_late_is_not_begun(course: Any) -> None:
    one = course(within=3.0)
    one.begin(0.0)
    assert one.answered(503, [("retry-after", b"4")], 0.0, WALL, 0.0)[0] == "done"


def test_the_budget_ends_retries(course: Any) -> None:
    one = course(numbers=(99, 0.1, 1.0, 60.0, 0.0, 2.0, 0.0, 1.0, 0, 30.0, 5))
    told = []
    for _ in range(3):
        one.begin(0.0)
        told.append(one.answered(503, [], 0.0, WALL, 0.0)[0])
    assert told == ["wait", "wait", "done"]


def test_the_limit_spreads_requests(course: Any) -> None:
    one = course(numbers=(1, 0.1, 1.0, 60.0, 0.0, 2.0, 2.0, 1.0, 0, 30.0, 5))
    assert one.begin(0.0)[0] == "send"
    assert one.begin(0.0) == ("wait", 0.5, "", "")
    assert one.begin(0.5)[0] == "send"


def test_the_breaker_opens_tries_and_closes(course: Any) -> None:
    one = course("POST")
    for _ in range(3):
        assert one.begin(0.0)[0] == "send"
        one.answered(500, [], 0.0, WALL, 0.0)
    text = "https://a.org:443 failed 3 times in a row and is left alone for 29 s"
    assert one.begin(1.0) == ("fail", 0.0, "circuit", text)
    assert one.begin(31.0)[0] == "send"
    assert one.begin(31.0)[3].endswith("is being tried")
    one.answered(200, [], 31.0, WALL, 0.0)
    assert one.begin(31.0)[0] == "send"


def test_a_redirect_elsewhere_loses_the_secrets(course: Any) -> None:
    one = course("POST")
    one.begin(0.0)
    one.answered(303, [("location", b"/y")], 0.0, WALL, 0.0)
    assert one.state(0.0)[:4] == ("GET", "https://a.org/y", (("authorization", "s"),), False)
    one.answered(307, [("location", b"https://b.org/")], 0.0, WALL, 0.0)
    assert one.state(0.0)[:4] == ("GET", "https://b.org/", (), False)
    told = one.answered(307, [("location", b"http://b.org/")], 0.0, WALL, 0.0)
    assert told == ("fail", 0.0, "redirect", "a redirect from https to http://b.org:80")


def test_a_cookie_goes_back_to_its_host_alone(course: Any) -> None:
    one = course()
    one.answered(200, [("set-cookie", b"k=v; Domain=org; Path=/")], 0.0, WALL, 0.0)
    assert one.state(0.0)[6] == "k=v"
    one.start("GET", "https://b.org/", [], False, True, None, math.inf, 0.0)
    assert one.state(0.0)[6] is None
