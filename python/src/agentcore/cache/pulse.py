"""What the twin's LFU policy knows of time: how old a use is, and whether LRU would serve better.

Time is counted in uses. From how long ago each used key was last used follows how
often a plain LRU of the same size would have hit: the distinct keys among the latest
T uses grow by the share of uses that look back further than T ("The working set
model", Denning 1968), so the T at which they fill the cache tells which uses LRU
would have served. Where that beats what was served, the window of the newest grows;
otherwise it shrinks. All is integers: both implementations count alike.
"""

from __future__ import annotations

__all__ = ["Pulse"]

_TICKS = 16  # in as many uses as there are entries
_SPAN = 128  # ticks that are told apart
_PERIOD = 8  # ticks between two judgments
_AGING = 160  # ticks after which frequencies are halved
_GAIN = 5  # thousandths of the uses by which LRU must be better
_UNIT = 1024  # what one use counts, so that halving it loses nothing that matters
_LEAST = 10  # thousandths of the room that the window has at least
_STAMPS = 1 << 24
_NOTES = 1 << 12


class Pulse:
    """The clock and the histogram.

    Args:
        most: the most that the window may get, in thousandths.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = self._within = self._total = self._served = 0
        self._ages = [0] * (_SPAN + 1)
        self.share = _LEAST

    def stamp(self) -> int:
        """Return when it is, for an entry."""
        return self._now % _STAMPS

    def since(self, stamp: int) -> int:
        """Return the ticks since a stamp."""
        return (self.stamp() - stamp) % _STAMPS

    def aged(self, frequency: int, ticks: int) -> int:
        """Return what a frequency of so many ticks ago is worth."""
        halvings = self._now // _AGING - max(0, self._now - ticks) // _AGING
        return frequency >> min(halvings, 15)

    def note(self, frequency: int, ticks: int) -> tuple[int, int]:
        """Return what a ghost keeps: the time of its last use, and its frequency then."""
        return (self._now - ticks) % _NOTES, frequency

    def read(self, note: tuple[int, int]) -> tuple[int, int]:
        """Return a ghost's frequency by today's measure, and the ticks since its last use."""
        ticks = (self._now - note[0]) % _NOTES
        return self.aged(note[1], ticks), ticks

    def beat(self, ticks: int | None, served: bool, entries: int) -> None:
        """Count a use of a key that was last used ``ticks`` ago, if that is known."""
        self._ages[_SPAN if ticks is None else min(ticks, _SPAN)] += _UNIT
        self._total += _UNIT
        self._served += _UNIT * served
        self._within += 1
        length = max(1, entries // _TICKS)
        if self._within >= length:
            self._within = 0
            self._now += 1
            if self._now % _PERIOD == 0:
                self._judge(entries, length)

    def _judge(self, entries: int, length: int) -> None:
        older = self._total  # uses that look back at least as far as `age`
        distinct = 0
        for age in range(_SPAN):
            distinct += older * length
            older -= self._ages[age]
            if distinct >= entries * self._total:
                break
        recent = self._total - older
        if recent * 1000 > self._served * 1000 + self._total * _GAIN:
            self.share = min(self.share * 3 // 2 + 20, self._most)
        else:
            self.share = max(self.share * 19 // 20, _LEAST)
        self._ages = [count // 2 for count in self._ages]
        self._total = sum(self._ages)
        self._served //= 2
