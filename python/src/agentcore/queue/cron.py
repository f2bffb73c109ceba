"""Cron lines: five fields, UTC, and when they are next due. The Rust twin is `queue/cron.rs`.

``minute hour day-of-month month day-of-week``; each ``*``, a number, ``a-b``, a list by commas,
each with ``/step``. Months and days of the week also by their first three letters; Sunday is 0
or 7.
Where both days are restricted (neither begins with ``*``) either one makes a day fit, as cron does.
``@hourly``, ``@daily``, ``@weekly``, ``@monthly`` and ``@yearly`` are short for the usual lines.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["Cron"]

_NAMES = {
    "month": "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    "day of week": "sun mon tue wed thu fri sat".split(),
}
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
)
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_DAYS_AHEAD = 366 * 9
"""29 February may be eight years away."""
_MINUTE = 60_000
_LAST = 253_402_214_400_000
"""31 December 9999: no run is later."""


class Cron:
    """A line made ready.

    Raises:
        ValueError: the line is not one; says which field and what would be right.
    """

    def __init__(self, expression: str) -> None:
        words = _SHORT.get(expression, expression).split()
        if len(words) != len(_FIELDS):
            raise ValueError(
                f"a schedule has 5 fields (minute hour day month weekday), got {len(words)}"
            )
        sets = [_field(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
        self._minutes, self._hours, self._days, self._months, weekdays = sets
        self._weekdays = {day % 7 for day in weekdays}
        self._either = not words[2].startswith("*") and not words[4].startswith("*")

    def after(self, now_ms: int) -> int | None:
        """Return the first fitting minute after ``now_ms``, in milliseconds since 1970; or None."""
        if not 0 <= now_ms < _LAST:
            return None
        start = datetime.fromtimestamp(now_ms // _MINUTE * 60, UTC) + timedelta(minutes=1)
        for ahead in range(_DAYS_AHEAD):
            day = start.date() + timedelta(days=ahead) if ahead else start.date()
            if not self._fits(day.day, day.month, day.isoweekday() % 7):
                continue
            for hour in sorted(self._hours):
                for minute in sorted(self._minutes):
                    if ahead or (hour, minute) >= (start.hour, start.minute):
                        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                        return int(at.timestamp()) * 1000
            if day.year >= 9999 and day.month == 12 and day.day >= 30:
                return None
        return None

    def _fits(self, day: int, month: int, weekday: int) -> bool:
        if month not in self._months:
            return False
        if self._either:
            return day in self._days or weekday in self._weekdays
        return day in self._days and weekday in self._weekdays


def _field(word: str, name: str, least: int, most: int) -> set[int]:
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        by = _number(step, name, 1, most, word) if slash else 1
        if span == "*":
            first, last = least, most - (name == "day of week")
        else:
            low, dash, high = span.partition("-")
            first = _number(low, name, least, most, word)
            last = _number(high, name, least, most, word) if dash else (most if slash else first)
            if last < first:
                raise ValueError(f"{name}: the range in '{word}' runs backwards")
        found |= set(range(first, last + 1, by))
    return found


def _number(text: str, name: str, least: int, most: int, word: str) -> int:
    names = _NAMES.get(name, [])
    if text.lower() in names:
        return names.index(text.lower()) + least
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
    if not least <= number <= most:
        raise ValueError(f"{name}: expected numbers from {least} to {most} in '{word}'")
    return number
