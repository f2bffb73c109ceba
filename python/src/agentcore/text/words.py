"""Words, tokens, sentences: fixed tables, the same under every Python and its Unicode.

The native side has the same tables written out; a test compares the two over all
code points.
"""

from __future__ import annotations

import re

__all__ = ["BOUNDARY", "FIELD", "NON_WORD", "SPACE", "TOKEN", "WORD"]

# fmt: off
NON_WORD = (
    (0x80, 0xA9), (0xAB, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7),
    (0x1680, 0x1680), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2190, 0x2BFF), (0x2E00, 0x2E7F),
    (0x3000, 0x3004), (0x3008, 0x3020), (0x3030, 0x3030), (0x303D, 0x303F), (0xFE10, 0xFE1F),
    (0xFE30, 0xFE6F), (0xFEFF, 0xFEFF), (0xFF00, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF3E),
    (0xFF40, 0xFF40), (0xFF5B, 0xFF65), (0xFFE0, 0xFFFF),
)
# fmt: on
"""Code points beyond ASCII that are no word characters: punctuation, symbols, spaces."""

SPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Whitespace, as ``str.split`` of every supported Python sees it."""


def _escaped(point: int) -> str:
    return f"\\U{point:08x}"


_NOT_WORD = r"\x00-/:-@\[-\^`\{-\x7f" + "".join(
    f"{_escaped(first)}-{_escaped(last)}" for first, last in NON_WORD
)
_SPACE = "".join(_escaped(ord(character)) for character in SPACE)
_NOT_SPACE = f"[^{_SPACE}]"

WORD = re.compile(f"[^{_NOT_WORD}]+")
"""A maximal run of word characters: ASCII letters, digits, ``_``, most beyond ASCII."""

TOKEN = re.compile(f"[^{_NOT_WORD}]+|{_NOT_SPACE}")
"""A word, or one other character that is no space."""

FIELD = re.compile(f"{_NOT_SPACE}+")
"""What stands between whitespace."""

_CLOSERS = r"""["')\]\xbb\u2019\u201d\u300d\u300f]*+"""

BOUNDARY = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]++{_CLOSERS}(?=[{_SPACE}])"
    rf"|[\u3002\uff01\uff1f]++{_CLOSERS}"
    r"|\n[ \t\r]*+\n"
)
"""Where a sentence ends: terminators (and closing marks) before whitespace, wide ones
anywhere, an empty line."""
