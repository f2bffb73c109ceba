"""Checks of arguments, with the words that both implementations refuse in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from agentcore.text.contract import KINDS, MATCH_BYTES_LIMIT, PATTERNS_LIMIT

__all__ = [
    "as_list",
    "check_choice",
    "check_integer",
    "check_patterns",
    "check_strings",
    "checked_kinds",
    "string_list",
]


def as_list(name: str, texts: Any) -> list[str]:
    """Return ``texts`` as a list.

    Raises:
        TypeError: it is one string (an easy slip: a string is iterable), or not iterable.
    """
    if type(texts) is list:
        return texts
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        kind = type(texts).__name__
        raise TypeError(f"{name} must be an iterable of str, got {kind}")
    return list(texts)


def check_strings(name: str, texts: list[Any]) -> None:
    """Raise TypeError if something in the list is no string."""
    for at, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"{name}[{at}] must be str, got {type(text).__name__}")


def check_choice(name: str, value: object, kind: Any, *, optional: bool) -> None:
    """Raise ValueError if ``value`` is not one of the words of the literal type ``kind``."""
    words = get_args(kind)
    if value not in words and not (optional and value is None):
        known = ", ".join([*map(repr, words), "None"] if optional else map(repr, words))
        raise ValueError(f"{name} must be one of {known}, got {value!r}")


def check_patterns(patterns: list[str]) -> None:
    """Check the bounds of a matcher.

    Raises:
        TypeError: a pattern is no string.
        ValueError: a pattern is empty, or there are too many.
    """
    if len(patterns) > PATTERNS_LIMIT:
        raise ValueError(
            f"too many patterns: at most {PATTERNS_LIMIT} patterns, got {len(patterns)}"
        )
    check_strings("patterns", patterns)
    if "" in patterns:
        raise ValueError(f"patterns[{patterns.index('')}] is empty")
    size = sum(len(pattern.encode("utf-8", "surrogatepass")) for pattern in patterns)
    if size > MATCH_BYTES_LIMIT:
        raise ValueError(f"too many patterns: at most {MATCH_BYTES_LIMIT} bytes, got {size}")


def checked_kinds(kinds: Any) -> list[str]:
    """Return ``kinds`` as a list; all of them for None.

    Raises:
        TypeError: it is one string or not iterable.
        ValueError: a kind does not exist.
    """
    if kinds is None:
        return list(KINDS)
    chosen = as_list("kinds", kinds)
    for kind in chosen:
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
    return chosen


def string_list(name: str, texts: Any) -> list[str]:
    """Return ``texts`` as a list of strings, checked.

    Raises:
        TypeError: it is one string or not iterable, or something in it is no string.
    """
    checked = as_list(name, texts)
    check_strings(name, checked)
    return checked


def check_integer(name: str, value: object, least: int, most: int) -> None:
    """Raise TypeError or ValueError if ``value`` is no integer from ``least`` to ``most``."""
    wanted = f"{name} must be an integer from {least} to {most}, got {value!r}"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(wanted)
    if not least <= value <= most:
        raise ValueError(wanted)
