"""Splits and reads text as the Rust twin does: ASCII white space, ASCII digits, whole ranges."""

from __future__ import annotations

import json
import re
from typing import Any

ASCII_SPACE = " \t\n\x0c\r"
_SPACES = re.compile("[ \t\n\x0c\r]+")
_DECIMAL = re.compile(r"\+?[0-9]+")
_HEX = re.compile(r"\+?[0-9A-Fa-f]+")
_MAX_DEPTH = 127


def words(text: str) -> list[str]:
    """The words of ``text`` between ASCII white space."""
    return [word for word in _SPACES.split(text) if word]


def trim(text: str) -> str:
    """``text`` without ASCII white space around it."""
    return text.strip(ASCII_SPACE)


def lower(text: str) -> str:
    """``text`` with its ASCII letters in lower case, others untouched."""
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in text)


def upper(text: str) -> str:
    """``text`` with its ASCII letters in upper case, others untouched."""
    return "".join(c.upper() if "a" <= c <= "z" else c for c in text)


def lines(text: str) -> list[str]:
    """The lines of ``text``: ended by a line feed, a carriage return before it dropped."""
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    return [line[:-1] if line.endswith("\r") else line for line in found]


def unsigned(text: str, most: int) -> int | None:
    """A decimal number up to ``most``, or None."""
    if _DECIMAL.fullmatch(text) is None or (value := int(text)) > most:
        return None
    return value


def hexadecimal(text: str, most: int) -> int | None:
    """A hexadecimal number up to ``most``, or None."""
    if _HEX.fullmatch(text) is None or (value := int(text, 16)) > most:
        return None
    return value


def strict_json(text: str) -> Any:
    """Parse JSON as strictly as RFC 8259 and the Rust twin do.

    Raises:
        ValueError: it isn't JSON, nests deeper than 127, or holds what no UTF-8 text can.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    _inspect(value, 1)
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _inspect(value: Any, depth: int) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    elif isinstance(value, (dict, list)):
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        if isinstance(value, dict):
            for key, inner in value.items():
                key.encode()
                _inspect(inner, depth + 1)
        else:
            for inner in value:
                _inspect(inner, depth + 1)


def is_whole(value: object) -> bool:
    """A whole number, and not a truth value, which Python counts among them."""
    return isinstance(value, int) and not isinstance(value, bool)
