"""Finding many patterns in pure Python."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable

from agentcore.text.arguments import check_patterns, string_list

__all__ = ["Matcher"]

_LOWER_ASCII = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Matcher:
    """Patterns to find in many strings."""

    def __init__(self, patterns: list[str], kind: str, ignore_case: bool) -> None:
        check_patterns(patterns)
        self._leftmost = kind == "leftmost"
        self._ignore_case = ignore_case
        self._indices: dict[str, list[int]] = defaultdict(list)
        for index, pattern in enumerate(patterns):
            self._indices[self._cased(pattern)].append(index)

    def find_many(self, texts: Iterable[str]) -> list[list[tuple[int, int, int]]]:
        """Return for each string its matches as ``(pattern, start, end)``."""
        checked = string_list("texts", texts)
        return [self._find(self._cased(text)) for text in checked]

    def find_packed(self, texts: Iterable[str]) -> bytes:
        """Return all matches as ``(text, pattern, start, end)``, 32 bits each."""
        found = enumerate(self.find_many(texts))
        return array("I", (n for at, hits in found for hit in hits for n in (at, *hit))).tobytes()

    def _cased(self, text: str) -> str:
        return str.translate(text, _LOWER_ASCII) if self._ignore_case else str(text)

    def _find(self, text: str) -> list[tuple[int, int, int]]:
        found = []
        for pattern, indices in self._indices.items():
            start = text.find(pattern)
            while start >= 0:
                end = start + len(pattern)
                found += [(index, start, end) for index in indices]
                start = text.find(pattern, start + 1)
        if not self._leftmost:
            return sorted(found, key=lambda hit: (hit[2], hit[1], hit[0]))
        chosen: list[tuple[int, int, int]] = []
        free = 0
        for hit in sorted(found, key=lambda hit: (hit[1], -hit[2], hit[0])):
            if hit[1] >= free:
                chosen.append(hit)
                free = hit[2]
        return chosen
