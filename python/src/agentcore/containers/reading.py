"""Reads one template node after another, noting every problem with its path instead of stopping."""

from __future__ import annotations

import re
from typing import Any

from agentcore.containers.values import child, number_text, show

__all__ = ["Reader"]

_DIGITS = re.compile(r"[0-9]{1,18}", re.A)


class Reader:
    """Collects problems; each method returns a usable value even where it noted one."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, path: str, what: str, expected: str) -> None:
        """Note one problem."""
        self.problems.append(f"{path}: {what}; expected {expected}")

    def mapping(
        self, node: Any, path: str, allowed: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """Read a mapping (null is an empty one); keys outside ``allowed`` are problems."""
        if node is None:
            return {}
        if not isinstance(node, dict):
            self.problem(path, show(node), "a mapping")
            return {}
        if allowed is not None:
            for key in node:
                if key not in allowed:
                    self.problem(child(path, key), "unknown key", f"one of {', '.join(allowed)}")
        return node

    def items(self, node: Any, path: str, what: str) -> list[Any]:
        """Read a list (null is an empty one)."""
        if node is None:
            return []
        if not isinstance(node, list):
            self.problem(path, show(node), what)
            return []
        return node

    def text(
        self, node: Any, path: str, expected: str, pattern: re.Pattern[str] | None = None
    ) -> str:
        """Read a text, whole numbers included; the pattern must match all of it."""
        if isinstance(node, int) and not isinstance(node, bool):
            node = str(node)
        if not isinstance(node, str) or (pattern is not None and not pattern.fullmatch(node)):
            self.problem(path, show(node), expected)
            return ""
        return node

    def scalar(self, node: Any, path: str) -> str:
        """Read any scalar as the text that was meant."""
        if isinstance(node, str):
            return node
        if isinstance(node, bool):
            return "true" if node else "false"
        written = number_text(node) if isinstance(node, int | float) else None
        if written is None:
            self.problem(path, show(node), "a text; write it in quotes")
            return ""
        return written

    def boolean(self, node: Any, path: str, default: bool = False) -> bool:
        """Read true or false; null is the default."""
        if node is None:
            return default
        if node in ("true", "false") and isinstance(node, str):
            return node == "true"
        if not isinstance(node, bool):
            self.problem(path, show(node), "true or false")
            return default
        return node

    def whole(self, node: Any, path: str, low: int, high: int) -> int:
        """Read a whole number between two bounds, both included."""
        value: Any = node
        if isinstance(node, str) and _DIGITS.fullmatch(node):
            value = int(node)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problem(path, show(node), f"a whole number from {low} to {high}")
            return low
        return value

    def texts(self, node: Any, path: str, expected: str) -> list[str]:
        """Read a list of scalars as texts."""
        return [
            self.scalar(item, f"{path}[{index}]")
            for index, item in enumerate(self.items(node, path, expected))
        ]

    def pairs(self, node: Any, path: str, variables: dict[str, str] | None) -> dict[str, str]:
        """Read ``KEY: value`` or a list of ``KEY=value``.

        With ``variables``, a key without a value takes the variable of its name (Compose's rule
        for ``environment``); without, it is an empty text (its rule for ``labels``).
        """
        found: dict[str, str] = {}
        if isinstance(node, list):
            for index, item in enumerate(node):
                place = f"{path}[{index}]"
                key, equals, value = self.scalar(item, place).partition("=")
                self._pair(found, key, value if equals else None, place, variables)
            return found
        for key, value in self.mapping(node, path).items():
            place = child(path, key)
            written = None if value is None else self.scalar(value, place)
            self._pair(found, key, written, place, variables)
        return found

    def _pair(
        self,
        found: dict[str, str],
        key: str,
        value: str | None,
        place: str,
        variables: dict[str, str] | None,
    ) -> None:
        if not key or "=" in key:
            self.problem(place, f"the name {show(key)}", "a name without '='")
            return
        if key in found:
            self.problem(place, f"{show(key)} written twice", "it once")
        if value is None:
            value = "" if variables is None else variables.get(key)
            if value is None:
                self.problem(place, f"variable {show(key)} is not set", "a value")
                value = ""
        found[key] = value
