"""Resemblance of two texts in pure Python; the arithmetic is in the contract's order."""

from __future__ import annotations

from collections.abc import Callable

from agentcore.text.words import WORD

__all__ = ["MEASURES"]


def _ratio(distance: int, longest: int) -> float:
    return 1.0 - distance / longest if longest else 1.0


def levenshtein(left: str, right: str) -> float:
    """Return 1 less the edit distance over the longer length."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        diagonal, row[0] = row[0], i + 1
        for j, b in enumerate(right):
            kept = diagonal + (a != b)
            diagonal = row[j + 1]
            row[j + 1] = min(kept, diagonal + 1, row[j] + 1)
    return _ratio(row[-1], max(len(left), len(right)))


def jaro_winkler(left: str, right: str) -> float:
    """Return Jaro's resemblance with Winkler's weight for a common beginning."""
    if not left and not right:
        return 1.0
    reach = max(max(len(left), len(right)) // 2 - 1, 0)
    taken = [False] * len(right)
    matched = []
    for at, character in enumerate(left):
        for other in range(max(at - reach, 0), min(len(right), at + reach + 1)):
            if not taken[other] and right[other] == character:
                taken[other] = True
                matched.append(character)
                break
    if not matched:
        return 0.0
    others = [character for character, was in zip(right, taken, strict=True) if was]
    moved = sum(a != b for a, b in zip(others, matched, strict=True)) // 2
    count = len(matched)
    jaro = (count / len(left) + count / len(right) + (count - moved) / count) / 3.0
    if jaro <= 0.7:
        return jaro
    same = 0
    while same < min(4, len(left), len(right)) and left[same] == right[same]:
        same += 1
    return jaro + same * 0.1 * (1.0 - jaro)


def token_set(left: str, right: str) -> float:
    """Return the best of the comparisons between common and remaining words."""
    first, second = set(WORD.findall(left)), set(WORD.findall(right))
    if not first or not second:
        return 0.0
    shared = len(" ".join(first & second))
    rest_left, rest_right = (" ".join(sorted(words)) for words in (first - second, second - first))
    if shared and (not rest_left or not rest_right):
        return 1.0
    gap = int(shared > 0)
    all_left, all_right = shared + gap + len(rest_left), shared + gap + len(rest_right)
    distance = len(rest_left) + len(rest_right) - 2 * _common(rest_left, rest_right)
    apart = 1.0 - distance / (all_left + all_right)
    if not shared:
        return apart
    with_left = 1.0 - (gap + len(rest_left)) / (shared + all_left)
    with_right = 1.0 - (gap + len(rest_right)) / (shared + all_right)
    return max(apart, with_left, with_right)


def _common(left: str, right: str) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(right) + 1)
    for a in left:
        diagonal = 0
        for j, b in enumerate(right):
            above = row[j + 1]
            row[j + 1] = diagonal + 1 if a == b else max(above, row[j])
            diagonal = above
    return row[-1]


MEASURES: dict[str, Callable[[str, str], float]] = {
    "levenshtein": levenshtein,
    "jaro_winkler": jaro_winkler,
    "token_set": token_set,
}
