"""Searches documents by meaning and by words, and cites what it found word for word.

A document is cut into passages at blank lines and sentence ends; every hit carries the offsets
of its passage, and ``document[start:end]`` is exactly the quoted text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agentcore.ml.embeddings import EmbeddingModel

__all__ = ["Hit", "Passage", "passages", "search"]

TARGET_CHARS = 600
"""Passages grow to about this size; a longer sentence stays whole up to twice of it."""
WORD_WEIGHT = 0.3
"""Share of the word score in the total; the rest is likeness of meaning."""
MIN_SCORE = 0.15
"""Hits below this are not worth citing."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|\n")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Passage:
    """A piece of a document: ``text`` is ``document[start:end]``."""

    document: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Hit:
    """A passage that answers the query; the score is between 0 and 1."""

    passage: Passage
    score: float


def passages(name: str, text: str) -> list[Passage]:
    """Cut a document into passages without losing or changing a character of them."""
    found = []
    for start, end in _pieces(text, 0, len(text), _PARAGRAPH):
        begin = last = start
        for piece_start, piece_end in _pieces(text, start, end, _SENTENCE_END):
            while piece_end - piece_start > 2 * TARGET_CHARS:  # no sentence ends for long: cut
                cut = text.rfind(" ", piece_start + 1, piece_start + TARGET_CHARS)
                cut = cut if cut > piece_start else piece_start + TARGET_CHARS
                found.append((begin, cut))
                begin = piece_start = cut
            if piece_end - begin > TARGET_CHARS and last > begin:
                found.append((begin, last))
                begin = piece_start
            last = piece_end
        found.append((begin, end))
    result = []
    for start, end in found:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start < end:
            result.append(Passage(name, start, end, text[start:end]))
    return result


def search(
    model: EmbeddingModel, query: str, documents: Sequence[tuple[str, str]], limit: int = 5
) -> list[Hit]:
    """Return the passages that fit the query best, best first.

    Args:
        model: the embedding model.
        query: what is looked for.
        documents: (name, text) pairs.
        limit: how many hits at most.
    """
    pool = [passage for name, text in documents for passage in passages(name, text)]
    if not pool:
        return []
    meaning = model.embed([passage.text for passage in pool]) @ model.embed([query])[0]
    words = _word_scores(query, [passage.text for passage in pool])
    total = (1 - WORD_WEIGHT) * np.clip(meaning, 0, 1) + WORD_WEIGHT * words
    order = np.argsort(-total, kind="stable")[:limit]
    return [Hit(pool[i], round(float(total[i]), 4)) for i in order if total[i] >= MIN_SCORE]


def _pieces(text: str, start: int, end: int, cut: re.Pattern[str]) -> list[tuple[int, int]]:
    out, begin = [], start
    for match in cut.finditer(text, start, end):
        out.append((begin, match.start()))
        begin = match.end()
    out.append((begin, end))
    return [(a, b) for a, b in out if b > a]


def _word_scores(query: str, texts: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return, per text, the share of the query's words it has, rare words weighing more."""
    wanted = set(_WORD.findall(query.lower()))
    sets = [set(_WORD.findall(text.lower())) for text in texts]
    frequency = Counter(word for words in sets for word in words & wanted)
    weight = {word: math.log(1 + len(texts) / (0.5 + frequency[word])) for word in wanted}
    whole = sum(weight.values()) or 1.0
    return np.array([sum(weight[word] for word in words & wanted) / whole for words in sets])
