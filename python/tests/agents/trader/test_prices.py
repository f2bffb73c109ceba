"""A bad row is refused by its line number."""

from __future__ import annotations

import pytest

from agentcore.agents.trader.prices import parse_csv
from agentcore.errors import InputError

HEAD = "date,open,high,low,close,volume\n"
ROWS = [f"2024-{m:02}-{d:02},10,12,9,11,5\n" for m in (1, 2) for d in range(1, 29)]


def table(replace: str = "", at: int = 5, head: str = HEAD) -> str:
    rows = list(ROWS)
    if replace:
        rows[at] = replace + "\n"
    return head + "".join(rows)


def test_a_good_table() -> None:
    prices = parse_csv("\ufeff" + table())
    assert len(prices) == 56
    assert prices.close[0] == 11
    assert prices.times[0].isoformat() == "2024-01-01T00:00:00+00:00"
    assert 300 < prices.bars_per_year < 366


def test_columns_in_any_order_and_without_volume() -> None:
    rows = "".join(f"11,x,9,12,10,2024-01-{d:02}T10:00:00\n" for d in range(1, 32))
    prices = parse_csv("Close,Adj,Low,High,Open,Timestamp\n" + rows)
    assert (prices.open[0], prices.high[0], prices.volume[0]) == (10, 12, 0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2024-01-06,10,12,9", "4 fields; expected 6"),
        ("2024-01-06,abc,12,9,11,5", "open 'abc' is not a number"),
        ("2024-01-06,nan,12,9,11,5", "open is nan"),
        ("2024-01-06,10,inf,9,11,5", "high is inf"),
        ("2024-01-06,10,12,0,11,5", "low is 0"),
        ("2024-01-06,-10,12,9,11,5", "open is -10"),
        ("2024-01-06,10,12,9,11,-5", "volume is -5"),
        ("2024-01-06,10,10.5,9,11,5", "cannot all be true"),
        ("2024-01-06,10,12,10.5,11,5", "cannot all be true"),
        ("2024-01-05,10,12,9,11,5", "does not come after"),
        ("2023-01-05,10,12,9,11,5", "does not come after"),
        ("05.01.2024,10,12,9,11,5", "is not a time"),
        ("2024-02-30,10,12,9,11,5", "is not a time"),
    ],
)
def test_a_bad_row_is_refused_by_its_line(row: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_csv(table(row), "p.csv")
    assert str(caught.value).startswith("p.csv:7: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", "no column 'open'"),
        ("date,open,high,low,volume,x\n", "no column 'close'"),
        ("day,open,high,low,close,volume\n", "no time column"),
        ("date,open,high,low,close,close\n", "appears twice"),
    ],
)
def test_a_bad_header(head: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_csv(table(head=head))


def test_too_few_rows() -> None:
    with pytest.raises(InputError, match="2 rows; expected at least 30"):
        parse_csv(HEAD + ROWS[0] + ROWS[1])
    with pytest.raises(InputError):
        parse_csv("")
