"""Identifies a license text among those of the SPDX list.

Texts are compared as SPDX's matching guidelines ask (annex B: case, punctuation, white space,
copyright lines and equivalent spellings do not matter) by their word triples: the score is the
Dice coefficient of the two multisets. Below 0.85 nothing is claimed. The texts come inside a
package, pinned by hash.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from agentcore.ml.manifest import pinned

__all__ = ["CLAIM", "NEAR", "identify"]

NEAR = 0.97
"""From here on only a preamble, an appendix or a few words differ."""
CLAIM = 0.85
"""Below this, no claim."""
_CANDIDATES = 12
_MIN_WORDS = 20

_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+()-]+(?:[ \t]+[\w.+()-]+)*)")
_COPYRIGHT = re.compile(r"^[^\w\n]*(?:copyright\b|\(c\)|©).*$", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://|[#*;]+|/\*+|\*/|--)[ \t]?", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9]+")
_SAME_WORDS = {
    "licence": "license", "licences": "licenses", "sublicence": "sublicense",
    "licenced": "licensed",
    "organisation": "organization", "recognise": "recognize", "favour": "favor", "centre": "center",
    "fulfil": "fulfill", "acknowledgement": "acknowledgment", "merchantibility": "merchantability",
    "https": "http",
}  # fmt: skip


@dataclass(frozen=True)
class _License:
    key: str
    name: str
    words: Counter[str]
    size: int
    triples: Counter[tuple[str, str, str]]


def identify(text: str) -> dict[str, Any]:
    """Say which license ``text`` is.

    Returns:
        ``declared`` (SPDX tags in it, verbatim), ``license`` (SPDX id, or None), ``score``,
        ``verdict`` (``same``, ``near``,
        ``modified``, ``unknown`` or ``declared``), ``equal`` (other ids
        whose text is the same) and ``candidates`` (the best three with their scores).

    Raises:
        DataFileError: the license texts are absent or are not the pinned ones.
    """
    declared = [match[1] for match in _TAG.finditer(text)]
    words = _words(text)
    result: dict[str, Any] = {
        "declared": declared,
        "license": None,
        "score": 0.0,
        "verdict": "unknown",
        "equal": [],
        "candidates": [],
    }
    if len(words) >= _MIN_WORDS:
        ranked = _rank(words)
        best = ranked[0][0]
        result["score"] = round(best, 4)
        result["candidates"] = [
            {"license": entry.key, "name": entry.name, "score": round(score, 4)}
            for score, entry in ranked[:3]
        ]
        if best >= CLAIM:
            result["license"] = ranked[0][1].key
            result["verdict"] = "same" if best == 1.0 else "near" if best >= NEAR else "modified"
            result["equal"] = sorted(e.key for score, e in ranked[1:] if score == best)
    if result["license"] is None and declared:
        result["license"], result["verdict"] = declared[0], "declared"
    return result


def _rank(words: list[str]) -> list[tuple[float, _License]]:
    bag, triples = Counter(words), _triples(words)
    rough = sorted(
        _texts(), key=lambda entry: (-_dice(bag, len(words), entry.words, entry.size), entry.key)
    )[:_CANDIDATES]
    count = sum(triples.values())
    ranked = [
        (_dice(triples, count, entry.triples, sum(entry.triples.values())), entry)
        for entry in rough
    ]
    # GPL-2.0-only and -or-later share one text: the shorter claim goes first.
    return sorted(
        ranked, key=lambda item: (-item[0], not item[1].key.endswith("-only"), item[1].key)
    )


def _dice(one: Counter[Any], one_size: int, two: Counter[Any], two_size: int) -> float:
    if len(one) > len(two):
        one, two = two, one
    shared = sum(min(count, two[item]) for item, count in one.items() if item in two)
    return 2 * shared / (one_size + two_size)


def _words(text: str) -> list[str]:
    text = _COPYRIGHT.sub("", _COMMENT.sub("", text)).lower()
    return [_SAME_WORDS.get(word, word) for word in _WORD.findall(text)]


def _triples(words: list[str]) -> Counter[tuple[str, str, str]]:
    return Counter(zip(words, words[1:], words[2:], strict=False))


@cache
def _texts() -> tuple[_License, ...]:
    source = pinned("spdx-license-texts").files["texts"]
    with gzip.open(source, "rt", encoding="utf-8") as file:
        entries = json.load(file)["licenses"]
    known = []
    for entry in entries:
        if entry["isDeprecatedLicenseId"]:
            continue
        words = _words(entry["text"])
        if len(words) >= _MIN_WORDS:
            known.append(
                _License(
                    entry["licenseId"], entry["name"], Counter(words), len(words), _triples(words)
                )
            )
    return tuple(known)
