"""Patterns with ``*`` (any run) and ``?`` (any one character); nothing else is special."""

from __future__ import annotations

import re


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` matches."""
    special = {"*": ".*", "?": "."}
    wanted = "".join(special.get(char, re.escape(char)) for char in re.sub(r"\*+", "*", pattern))
    return re.fullmatch(wanted, text, re.DOTALL) is not None
