"""Normalization in pure Python."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

__all__ = ["normalize_many"]

_DROPPED_CONTROLS = dict.fromkeys(
    [*range(0x09), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0)]
)


def normalize_many(
    texts: list[str], form: Any, case: str | None, whitespace: bool, controls: bool
) -> list[str]:
    """Normalize each string; the arguments are checked."""
    changes: dict[str, Callable[[str], str]] = {
        "lower": str.lower,
        "upper": str.upper,
        "fold": str.casefold,
    }

    def normalized(text: str) -> str:
        out = unicodedata.normalize(form, text) if form else text
        if controls:
            out = str.translate(out, _DROPPED_CONTROLS)
        if case is not None:
            out = changes[case](out)
        if whitespace:
            out = " ".join(str.split(out))
        # The plain comparison of str, whatever a subclass makes of it.
        return text if str.__eq__(out, text) else out

    return [normalized(text) for text in texts]
