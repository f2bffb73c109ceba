"""Checks what an agent is given, so that each agent reads its inputs in one line apiece.

Every refusal names the input, what was wrong with it, and what would be right. Unknown names
are refused: a misspelled option must not silently mean its default.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from agentcore.errors import InputError

__all__ = ["MAX_FILES", "MAX_FILE_CHARS", "MAX_TOTAL_CHARS", "Inputs"]

MAX_FILES = 2000
MAX_FILE_CHARS = 1_000_000
MAX_TOTAL_CHARS = 8_000_000


class Inputs:
    """The inputs of one run.

    Args:
        values: name to value, as it came from JSON or the command line.
        known: the names that the agent understands.

    Raises:
        InputError: a name is not known.
    """

    def __init__(self, values: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in values:
            if name not in known:
                close = difflib.get_close_matches(str(name), known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                expected = "one of " + ", ".join(known) + hint
                raise InputError("unknown input", f"inputs.{name}", expected)
        self._values = values

    def text(self, name: str, default: str | None = None, limit: int = MAX_FILE_CHARS) -> str:
        """Return a string of at most ``limit`` characters; required when it has no default."""
        value = self._values.get(name, default)
        if value is None:
            raise InputError("missing input", f"inputs.{name}", "a string")
        if not isinstance(value, str):
            raise InputError(f"got {_kind(value)}", f"inputs.{name}", "a string")
        if len(value) > limit:
            raise InputError(f"{len(value)} characters", f"inputs.{name}", f"at most {limit}")
        return value

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        """Return one of ``options``."""
        value = self.text(name, default)
        if value not in options:
            raise InputError(f"got {value!r}", f"inputs.{name}", "one of " + ", ".join(options))
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a finite number in [low, high]."""
        value = self._values.get(name, default)
        expected = f"a number from {low:g} to {high:g}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"got {_kind(value)}", f"inputs.{name}", expected)
        if not low <= value <= high:  # not-a-number is in no range
            raise InputError(f"got {str(value)[:40]}", f"inputs.{name}", expected)
        return float(value)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        value = self.number(name, default, low, high)
        if not value.is_integer():
            raise InputError(f"got {value:g}", f"inputs.{name}", "a whole number")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise InputError(f"got {_kind(value)}", f"inputs.{name}", "true or false")
        return value

    def files(self, name: str) -> list[tuple[str, str]]:
        """Return the (path, content) pairs of a list of ``{"path", "content"}`` objects."""
        value = self._values.get(name)
        expected = 'a non-empty list of {"path": …, "content": …} objects'
        if not isinstance(value, list | tuple) or not value:
            raise InputError(
                f"got {_kind(value)}" if value is not None else "missing input",
                f"inputs.{name}",
                expected,
            )
        if len(value) > MAX_FILES:
            raise InputError(f"{len(value)} files", f"inputs.{name}", f"at most {MAX_FILES}")
        pairs, total = [], 0
        for index, item in enumerate(value):
            where = f"inputs.{name}[{index}]"
            if not isinstance(item, Mapping):
                raise InputError(f"got {_kind(item)}", where, expected)
            one = Inputs(item, ("path", "content"))
            path, content = one.text("path", limit=4096), one.text("content")
            if not path or path.startswith("/") or ".." in path.split("/"):
                raise InputError(f"got {path!r}", f"{where}.path", "a relative path without ..")
            total += len(content)
            if total > MAX_TOTAL_CHARS:
                raise InputError(
                    f"more than {MAX_TOTAL_CHARS} characters in all",
                    where,
                    "fewer or smaller files",
                )
            pairs.append((path, content))
        return pairs


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        type(None): "null",
        bool: "a boolean",
    }
    return names.get(type(value), "a number" if isinstance(value, int | float) else repr(value))
