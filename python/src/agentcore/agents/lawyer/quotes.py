"""The verbatim gate: a quote that is not word for word in the document is withheld.

Every extract of a contract carries the text it rests on and where it stands. The gate compares
the two at the end of a run, whatever produced them, and counts what it held back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Extract", "Gate", "quoted"]


@dataclass(frozen=True)
class Extract:
    """One thing read out of a document.

    Attributes:
        kind: what it is: ``party``, ``date``, ``amount``, ``clause``, ``answer``.
        quote: the words it rests on.
        start: where they begin, in characters (code points) from the start of the document.
        end: the character after them.
        values: what was understood from them.
    """

    kind: str
    quote: str
    start: int
    end: int
    values: dict[str, Any] = field(default_factory=dict)


def quoted(kind: str, document: str, start: int, end: int, **values: Any) -> Extract:
    """Return an extract of ``document[start:end]``."""
    return Extract(kind, document[start:end], start, end, values)


class Gate:
    """Passes the extracts that are verbatim, and counts those that are not.

    Args:
        document: the text that every quote must come from.
    """

    def __init__(self, document: str) -> None:
        self._document = document
        self.passed = 0
        self.withheld = 0

    def let_through(self, extracts: Iterable[Extract]) -> list[dict[str, Any]]:
        """Return the verbatim extracts as JSON data, each with the line of its quote."""
        out = []
        for extract in extracts:
            found = self._document[max(extract.start, 0) : extract.end]
            if not extract.quote or extract.start < 0 or found != extract.quote:
                self.withheld += 1
                continue
            self.passed += 1
            out.append(
                extract.values
                | {
                    "quote": extract.quote,
                    "start": extract.start,
                    "end": extract.end,
                    "line": self._document.count("\n", 0, extract.start) + 1,
                }
            )
        return out
