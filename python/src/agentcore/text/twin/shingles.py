"""Hashes, MinHash signatures and near-duplicates in pure Python."""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict

from agentcore.text.words import WORD

__all__ = ["hashed", "near_duplicates", "signatures"]

_MASK = (1 << 64) - 1
_LARGEST = (1 << 32) - 1
_STEP = 0x9E3779B97F4A7C15


def _mix(state: int, word: int) -> int:
    product = ((state ^ word) * _STEP) & _MASK
    return product ^ (product >> 32)


def fast64(data: bytes) -> int:
    """Hash bytes: begin with the length, take in each eight, little-endian, then a zero."""
    state = _mix(0, len(data))
    for at in range(0, len(data), 8):
        state = _mix(state, int.from_bytes(data[at : at + 8], "little"))
    return _mix(state, 0)


def hashed(text: str, algorithm: str) -> str:
    """Return the hash of a text in hexadecimal."""
    data = text.encode("utf-8", "surrogatepass")
    if algorithm == "sha256":
        return hashlib.sha256(data).hexdigest()
    if algorithm == "fast64":
        return f"{fast64(data):016x}"
    return hashlib.blake2b(data, digest_size=8 if algorithm == "blake2b-8" else 32).hexdigest()


def _factors(permutations: int, seed: int) -> list[tuple[int, int]]:
    """Draw the factor (odd) and the offset of each permutation by SplitMix64."""
    drawn = []
    for _ in range(2 * permutations):
        seed = (seed + _STEP) & _MASK
        mixed = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        drawn.append((mixed ^ (mixed >> 31)) >> 32)
    return [(drawn[at] | 1, drawn[at + 1]) for at in range(0, len(drawn), 2)]


def _shingles(text: str, size: int) -> set[int]:
    words = [fast64(word.encode("utf-8", "surrogatepass")) for word in WORD.findall(text)]
    found = set()
    for at in range(max(len(words) - size + 1, min(len(words), 1))):
        state = 0
        for word in words[at : at + size]:
            state = _mix(state, word)
        found.add(state & _LARGEST)
    return found


def signatures(texts: list[str], permutations: int, shingle: int, seed: int) -> array[int]:
    """Return the signature of each text, one behind the other."""
    factors = _factors(permutations, seed)
    values = array("I")
    for text in texts:
        found = _shingles(text, shingle)
        values.extend(
            min(((a * one + b) & _LARGEST for one in found), default=_LARGEST) for a, b in factors
        )
    return values


def _rows(permutations: int, threshold: float) -> int:
    best, power = 1, 1.0
    for rows in range(1, permutations + 1):
        power *= threshold
        if (permutations // rows) * power >= 1.0:
            best = rows
    return best


def near_duplicates(
    texts: list[str], threshold: float, permutations: int, shingle: int, seed: int, limit: int
) -> list[tuple[int, int, float]]:
    """Return the pairs ``(i, j, estimate)`` that resemble each other, by index.

    Raises:
        ValueError: there are more than ``limit``.
    """
    values = signatures(texts, permutations, shingle, seed)
    nothing = array("I", [_LARGEST] * permutations)
    signed = [values[at : at + permutations] for at in range(0, len(values), permutations)]
    rows = _rows(permutations, threshold)
    candidates: set[tuple[int, int]] = set()
    for band in range(permutations // rows):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for at, signature in enumerate(signed):
            if signature != nothing:
                buckets[signature[band * rows : (band + 1) * rows].tobytes()].append(at)
        for bucket in buckets.values():
            candidates.update(
                (left, right) for nth, left in enumerate(bucket) for right in bucket[nth + 1 :]
            )
    pairs = []
    for left, right in sorted(candidates):
        equal = sum(a == b for a, b in zip(signed[left], signed[right], strict=True))
        if equal / permutations >= threshold:
            pairs.append((left, right, equal / permutations))
    if len(pairs) > limit:
        raise ValueError(f"more than {limit} pairs of near-duplicates: raise limit or threshold")
    return pairs
