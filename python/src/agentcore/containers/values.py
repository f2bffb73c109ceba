"""Small readers of template values: paths, durations, sizes, decimals, words.

Each works by exact integer arithmetic: both implementations must give the same answer.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = [
    "child",
    "clean_path",
    "number_text",
    "parse_bytes",
    "parse_decimal",
    "parse_duration",
    "show",
    "split_words",
]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+", re.A)
_DURATION = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(ns|us|ms|s|m|h)", re.A)
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_BYTES = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?(b|kb|kib|k|mb|mib|m|gb|gib|g)?", re.A)
_SHIFTS = {"b": 0, "k": 10, "m": 20, "g": 30}
_DECIMAL = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,9}))?", re.A)
MAX_DURATION_NS = 86_400 * 1_000_000_000


def child(path: str, key: str) -> str:
    """Return the path of a key below ``path``; an unusual key is quoted in brackets."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def show(value: Any) -> str:
    """Show a value in a message: short, on one line, the same in both implementations."""
    if isinstance(value, str):
        cut = value if len(value) <= 60 else value[:60] + "…"
        return json.dumps(cut, ensure_ascii=False)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "a mapping"


def number_text(value: float) -> str | None:
    """Return a YAML number as text, or None where its text would be a matter of taste."""
    if isinstance(value, int):
        return str(value) if abs(value) < 2**63 else None  # as far as YAML's own numbers go
    return repr(value) if value == 0 or 1e-4 <= abs(value) < 1e15 else None


def parse_duration(text: str) -> int | None:
    """Read a duration as Go writes it (``1m30s``, ``1.5s``), in nanoseconds; at most a day."""
    total = 0
    at = 0
    while at < len(text):
        match = _DURATION.match(text, at)
        if match is None:
            return None
        unit = _UNITS_NS[match[3]]
        total += int(match[1]) * unit
        if match[2]:
            total += int(match[2]) * unit // 10 ** len(match[2])
        at = match.end()
    return total if text and total <= MAX_DURATION_NS else None


def parse_bytes(text: str) -> int | None:
    """Read a size (``64m``, ``1.5gb``); the units are powers of 1024."""
    match = _BYTES.fullmatch(text.lower() if text.isascii() else text)
    if match is None:
        return None
    shift = _SHIFTS[(match[3] or "b")[0]]
    total = int(match[1]) << shift
    if match[2]:
        total += (int(match[2]) << shift) // 10 ** len(match[2])
    return total if total < 2**53 else None


def parse_decimal(text: str) -> int | None:
    """Read a decimal number, in billionths."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * 10**9 + int((match[2] or "").ljust(9, "0"))


def split_words(text: str) -> list[str] | None:
    """Split a command line as a POSIX shell would, without expansion; None if a quote is open."""
    words: list[str] = []
    word: list[str] | None = None  # None between words, so that '' is a word
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if quote and word is not None:
            if char == quote:
                quote = ""
                continue
            if quote == '"' and char == "\\" and at < len(text) and text[at] in '"\\':
                char = text[at]
                at += 1
            word.append(char)
        elif char in " \t\r\n":
            if word is not None:
                words.append("".join(word))
                word = None
        else:
            word = [] if word is None else word
            if char in "'\"":
                quote = char
            elif char == "\\":
                if at == len(text):
                    return None
                word.append(text[at])
                at += 1
            else:
                word.append(char)
    if quote:
        return None
    if word is not None:
        words.append("".join(word))
    return words


def clean_path(path: str) -> str | None:
    """Normalize an absolute path lexically (``//``, ``.``, ``..``); None if it is not absolute."""
    if not path.startswith("/"):
        return None
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
