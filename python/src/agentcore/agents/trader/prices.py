"""Reads an OHLCV table, and refuses a bad row by its line number instead of repairing it.

A backtest over silently repaired prices answers a question nobody asked.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from agentcore.errors import InputError

__all__ = ["MIN_BARS", "Prices", "parse_csv"]

MIN_BARS = 30
MAX_BARS = 500_000
_TIME_NAMES = ("date", "datetime", "time", "timestamp")
_PRICE_NAMES = ("open", "high", "low", "close")
_SECONDS_PER_YEAR = 365.25 * 86400


@dataclass(frozen=True)
class Prices:
    """A series of bars, oldest first; all arrays have one entry per bar.

    Attributes:
        times: the time of each bar; naive times are taken as UTC.
        open: first traded price.
        high: highest price.
        low: lowest price.
        close: last price.
        volume: traded volume; zeros when the table has none.
    """

    times: tuple[datetime, ...]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def years(self) -> float:
        """Length of the series in years of 365.25 days."""
        return (self.times[-1] - self.times[0]).total_seconds() / _SECONDS_PER_YEAR

    @property
    def bars_per_year(self) -> float:
        """Mean number of bars in a year: about 252 for daily stocks, 365 for daily crypto."""
        return (len(self) - 1) / self.years

    def until(self, bar: int) -> Prices:
        """Return the first ``bar`` bars: what was known then."""
        return Prices(
            self.times[:bar],
            self.open[:bar],
            self.high[:bar],
            self.low[:bar],
            self.close[:bar],
            self.volume[:bar],
        )


def parse_csv(text: str, name: str = "prices.csv") -> Prices:
    """Parse a table with a header of date, open, high, low, close and, if it has one, volume.

    Column names are matched without case; other columns are ignored. Times are ISO 8601.

    Args:
        text: the whole file.
        name: how error messages call it.

    Raises:
        InputError: the header or a row is not acceptable; says which line.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip().lower() for cell in next(reader, [])]
    columns = _columns(header, f"{name}:1")
    times: list[datetime] = []
    rows: list[list[float]] = []
    try:
        for row in reader:
            if not row:
                continue
            where = f"{name}:{reader.line_num}"
            if len(row) != len(header):
                raise InputError(f"{len(row)} fields", where, f"{len(header)}, as the header has")
            time = _time(row[columns["time"]], where)
            if times and time <= times[-1]:
                raise InputError(
                    f"{row[columns['time']].strip()} does not come after the row before",
                    where,
                    "rows in order of time, oldest first, no time twice",
                )
            times.append(time)
            rows.append(_bar(row, columns, where))
            if len(rows) > MAX_BARS:
                raise InputError("too many rows", where, f"at most {MAX_BARS}")
    except csv.Error as error:
        raise InputError(str(error), f"{name}:{reader.line_num}", "a CSV table") from None
    if len(rows) < MIN_BARS:
        raise InputError(f"{len(rows)} rows", name, f"at least {MIN_BARS}")
    table = np.asarray(rows, dtype=np.float64)
    return Prices(tuple(times), *(np.ascontiguousarray(table[:, i]) for i in range(5)))


def _columns(header: list[str], where: str) -> dict[str, int]:
    columns = {}
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"column {name!r} appears twice", where, "each column once")
    for name in _PRICE_NAMES:
        if name not in header:
            raise InputError(
                f"no column {name!r}", where, "a header of date, open, high, low, close[, volume]"
            )
        columns[name] = header.index(name)
    time = next((name for name in _TIME_NAMES if name in header), None)
    if time is None:
        raise InputError("no time column", where, "one of " + ", ".join(_TIME_NAMES))
    columns["time"] = header.index(time)
    if "volume" in header:
        columns["volume"] = header.index("volume")
    return columns


def _time(cell: str, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise InputError(
            f"{cell.strip()!r} is not a time", where, "ISO 8601, such as 2024-01-31"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _bar(row: list[str], columns: dict[str, int], where: str) -> list[float]:
    values = []
    for name in (*_PRICE_NAMES, "volume"):
        if name not in columns:
            values.append(0.0)
            continue
        cell = row[columns[name]].strip()
        low = "a number, zero or more" if name == "volume" else "a number above zero"
        try:
            value = float(cell)
        except ValueError:
            raise InputError(f"{name} {cell!r} is not a number", where, low) from None
        if not math.isfinite(value) or value < 0 or (value == 0 and name != "volume"):
            raise InputError(f"{name} is {cell}", where, low)
        values.append(value)
    start, high, low_price, close = values[:4]
    if high < max(start, close) or low_price > min(start, close):
        raise InputError(
            f"open {start:g}, high {high:g}, low {low_price:g}, close {close:g} cannot all be true",
            where,
            "low <= open, close <= high",
        )
    return values
