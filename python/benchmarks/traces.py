"""The five traces of keys on which policies are compared by the share of hits.

Capacity 10,000, 400,000 requests, a universe of 100,000 keys: Zipf with exponents 0.9 and 0.99;
the latter with 8,000 keys that come once after each 20,000 requests; the latter in 8 phases, each
20,000 keys further; a loop over 12,000 keys.
"""

from __future__ import annotations

import itertools
import random
from functools import cache
from typing import Any

__all__ = ["CAPACITY", "TRACES", "hit_ratio", "trace"]

CAPACITY = 10_000
TRACES = ("zipf 0.9", "zipf 0.99", "zipf 0.99 with scans", "shifting hot set", "loop of 12k")
_LENGTH = 400_000
_UNIVERSE = 100_000


@cache
def trace(name: str) -> list[int]:
    """Return the keys of a trace, the same in every run."""
    if name == "loop of 12k":
        return [step % 12_000 for step in range(_LENGTH)]
    keys = _zipf(0.9 if name == "zipf 0.9" else 0.99)
    if name == "shifting hot set":
        return [key + step // 50_000 * 20_000 for step, key in enumerate(keys)]
    if name == "zipf 0.99 with scans":
        return _with_scans(keys)
    return keys


def _zipf(exponent: float) -> list[int]:
    chance = random.Random(42)  # noqa: S311 - a fixed trace
    weights = list(itertools.accumulate(rank**-exponent for rank in range(1, _UNIVERSE + 1)))
    return chance.choices(range(_UNIVERSE), cum_weights=weights, k=_LENGTH)


def _with_scans(keys: list[int]) -> list[int]:
    mixed: list[int] = []
    once = itertools.count(10 * _UNIVERSE)
    for at in range(0, _LENGTH, 20_000):
        mixed += keys[at : at + 20_000]
        mixed += itertools.islice(once, 8_000)
    return mixed[:_LENGTH]


def hit_ratio(store: Any, keys: list[int]) -> float:
    """Return the percentage of ``keys`` that ``store`` has when asked; what it lacks is set."""
    hits = 0
    get = store.get
    put = getattr(store, "set", None) or store.__setitem__
    for key in keys:
        if get(key) is None:
            put(key, key)
        else:
            hits += 1
    return 100 * hits / len(keys)
