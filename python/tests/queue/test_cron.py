"""Schedules: when they come true, and that both implementations say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcore.integration import RustIntegrationManager
from agentcore.queue import twin

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]


@pytest.fixture(params=["python", "native"])
def cron(request: pytest.FixtureRequest) -> Any:
    if request.param == "python":
        return twin.Cron
    both: Both = request.getfixturevalue("both")
    native: Any = both[1].native(COMPONENT)
    return native.Cron


@pytest.mark.parametrize(
    ("line", "after", "due"),
    [
        ("* * * * *", "2024-02-29T23:59:00", "2024-03-01T00:00:00"),
        ("5,10-12 */6 * * *", "2024-01-01T06:12:00", "2024-01-01T12:05:00"),
        ("0 0 29 2 *", "2024-02-29T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 29 2 *", "2096-02-29T00:00:00", "2104-02-29T00:00:00"),
        ("30 4 1,15 * fri", "2024-03-01T05:00:00", "2024-03-08T04:30:00"),
        ("0 12 * jan-mar SUN", "2024-03-31T12:00:00", "2025-01-05T12:00:00"),
        ("0 0 * * 7", "2024-01-01T00:00:00", "2024-01-07T00:00:00"),
        ("50/5 * * * *", "2024-01-01T00:56:00", "2024-01-01T01:50:00"),
        ("@monthly", "2024-12-31T23:59:59", "2025-01-01T00:00:00"),
    ],
)
def test_when_it_is_due(cron: Any, line: str, after: str, due: str) -> None:
    def ms(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000

    assert cron(line).after(ms(after)) == ms(due)
    assert cron(line).after(ms(due) - 1) == ms(due)


@pytest.mark.parametrize("line", ["0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_what_never_comes(cron: Any, line: str) -> None:
    assert cron(line).after(0) is None


FIELD = st.one_of(
    st.just("*"),
    st.integers(0, 70).map(str),
    st.tuples(st.integers(0, 31), st.integers(0, 60)).map(lambda p: f"{p[0]}-{p[1]}"),
    st.tuples(st.sampled_from(["*", "1-5", "3"]), st.integers(0, 9)).map(
        lambda p: f"{p[0]}/{p[1]}"
    ),
    st.lists(st.integers(0, 12).map(str), min_size=1, max_size=4).map(",".join),
    st.sampled_from(["jan", "Mon-fri", "sun", "dec", "", "-", "/", "1-", "a", "٣", "1,,2", "007"]),
)
LINE = st.one_of(
    st.lists(FIELD, min_size=4, max_size=6).map(" ".join),
    st.lists(st.sampled_from(["*", "1", "*/2", "3-6", "0"]), min_size=5, max_size=5).map(" ".join),
    st.text(max_size=12),
)


@given(line=LINE, now=st.integers(-(10**6), 253_402_300_799_999))
def test_both_say_the_same(both: Both, line: str, now: int) -> None:
    native: Any = both[1].native(COMPONENT)
    answers = []
    for cron in (twin.Cron, native.Cron):
        try:
            answers.append(cron(line).after(now))
        except ValueError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]
