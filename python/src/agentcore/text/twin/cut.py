"""Tokens, n-grams, sentences and chunks in pure Python."""

from __future__ import annotations

from bisect import bisect_left

from agentcore.text.words import BOUNDARY, FIELD, SPACE, TOKEN, WORD

__all__ = ["chunked", "ngrams", "sentences", "tokenized"]

_Span = tuple[int, int]
_KINDS = {"word": WORD, "token": TOKEN, "space": FIELD}


def tokenized(text: str, kind: str) -> list[str]:
    """Return the words, tokens or fields of a text."""
    return _KINDS[kind].findall(text)


def ngrams(text: str, n: int, unit: str) -> list[str]:
    """Return the runs of ``n`` words (joined by spaces) or characters."""
    if unit == "char":
        return [str(text[at : at + n]) for at in range(len(text) - n + 1)]
    words = WORD.findall(text)
    return [" ".join(words[at : at + n]) for at in range(len(words) - n + 1)]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without the whitespace around them."""
    return [text[start:end] for start, end in _sentence_spans(text)]


def _sentence_spans(text: str) -> list[_Span]:
    spans = []
    start = 0
    ends = [found.end() for found in BOUNDARY.finditer(text)]
    for end in [*ends, len(text)]:
        piece = str.strip(text[start:end], SPACE)
        if piece:
            begin = start + len(text[start:end]) - len(str.lstrip(text[start:end], SPACE))
            spans.append((begin, begin + len(piece)))
        start = end
    return spans


def chunked(text: str, budget: int, overlap: int, by: str) -> list[str]:
    """Return the chunks of a text of at most ``budget`` tokens each."""
    tokens = [found.span() for found in TOKEN.finditer(text)]
    spans = _windows(tokens, budget, overlap) if by == "token" else None
    if spans is None:
        spans = _packed(_pieces(text, tokens, budget), budget, overlap)
    return [text[start:end] for start, end in spans]


def _windows(tokens: list[_Span], budget: int, overlap: int) -> list[_Span]:
    spans = []
    for at in range(0, len(tokens), budget - overlap):
        window = tokens[at : at + budget]
        spans.append((window[0][0], window[-1][1]))
        if at + budget >= len(tokens):
            break
    return spans


def _pieces(text: str, tokens: list[_Span], budget: int) -> list[tuple[_Span, int]]:
    """Return the sentences with their numbers of tokens; those beyond the budget in parts."""
    starts = [start for start, _ in tokens]
    pieces: list[tuple[_Span, int]] = []
    at = 0
    for span in _sentence_spans(text):
        end = bisect_left(starts, span[1])
        if end - at <= budget:
            pieces.append((span, end - at))
        else:
            for first in range(at, end, budget):
                part = tokens[first : min(first + budget, end)]
                pieces.append(((part[0][0], part[-1][1]), len(part)))
        at = end
    return pieces


def _packed(pieces: list[tuple[_Span, int]], budget: int, overlap: int) -> list[_Span]:
    """Fill each chunk with pieces; begin the next with those that overlap."""
    spans = []
    start = 0
    while start < len(pieces):
        end, total = start, 0
        while end < len(pieces) and total + pieces[end][1] <= budget:
            total += pieces[end][1]
            end += 1
        spans.append((pieces[start][0][0], pieces[end - 1][0][1]))
        if end == len(pieces):
            break
        first, shared, start = start, 0, end
        while start > first + 1:
            more = shared + pieces[start - 1][1]
            if more > overlap or more + pieces[end][1] > budget:
                break
            shared, start = more, start - 1
    return spans
