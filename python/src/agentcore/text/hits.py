"""Hits: the matches in many texts as one buffer of numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["Hits"]

_HIT = struct.Struct("=4I")


class Hits:
    """Matches as ``(text, pattern, start, end)``, 32 bits each, in one ``bytes``.

    Ascending by text; within a text in the order of the finder. ``text`` and
    ``pattern`` are indices, offsets are in code points. Costs 16 bytes a match.

    Attributes:
        raw: the numbers, in this machine's byte order; ``numpy.frombuffer(hits.raw,
            "u4").reshape(-1, 4)`` reads them without a copy.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def view(self) -> memoryview:
        """Return the numbers as a memory view of ``len(self)`` rows and four columns.

        Without a match it has one dimension, since a view can't have an empty one.
        """
        flat = memoryview(self.raw)
        return flat.cast("I", (len(self), 4)) if self.raw else flat.cast("I")

    def __buffer__(self, flags: int, /) -> memoryview:
        return self.view()  # for memoryview(hits), from Python 3.12 on

    def __len__(self) -> int:
        return len(self.raw) // _HIT.size

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        return _HIT.iter_unpack(self.raw)

    def __getitem__(self, at: int) -> tuple[int, int, int, int]:
        count = len(self)
        if not -count <= at < count:
            raise IndexError(f"there are {count} matches, got index {at}")
        return _HIT.unpack_from(self.raw, (at % count) * _HIT.size)

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, Hits) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"<Hits: {len(self)} matches>"
