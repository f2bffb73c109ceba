"""The text operations in pure Python: the reference that the native ones must equal."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agentcore.text.checks import IBAN_LENGTHS, iban_checksum, is_ipv6, luhn
from agentcore.text.contract import KINDS, LABELS, REDACT_PATTERNS, check_patterns, check_strings

__all__ = ["REDACT_PATTERNS", "Matcher", "normalize_many", "redact_many"]

_DROPPED_CONTROLS = dict.fromkeys(
    [*range(0x09), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0)]
)
_LOWER_ASCII = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def normalize_many(
    texts: list[str], form: Any, case: str | None, whitespace: bool, controls: bool, /
) -> list[str]:
    """Normalize each string; the arguments are checked by the facade."""
    check_strings("texts", texts)

    def normalized(text: str) -> str:
        out = unicodedata.normalize(form, text) if form else text
        if controls:
            out = str.translate(out, _DROPPED_CONTROLS)
        if case is not None:
            out = str.casefold(out) if case == "fold" else str.lower(out)
        if whitespace:
            out = " ".join(str.split(out))
        # The plain comparison of str, whatever a subclass makes of it.
        return text if str.__eq__(out, text) else out

    return [normalized(text) for text in texts]


class Matcher:
    """Patterns to find in many strings."""

    def __init__(self, patterns: list[str], kind: str, ignore_case: bool, /) -> None:
        check_patterns(patterns)
        self._leftmost = kind == "leftmost"
        self._ignore_case = ignore_case
        self._indices: dict[str, list[int]] = defaultdict(list)
        for index, pattern in enumerate(patterns):
            self._indices[self._cased(pattern)].append(index)

    def find_many(self, texts: list[str], /) -> list[list[tuple[int, int, int]]]:
        """Return for each string its matches as ``(pattern, start, end)``."""
        check_strings("texts", texts)
        return [self._find(self._cased(text)) for text in texts]

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


def redact_many(texts: list[str], kinds: list[str], /) -> list[str]:
    """Replace sensitive text of the named kinds in each string."""
    check_strings("texts", texts)
    rules = [(kind, _FINDERS[kind]) for kind in KINDS if kind in kinds]
    return [_redacted(text, rules) for text in texts]


_Spans = Iterator[tuple[int, int]]


def _redacted(text: str, rules: Sequence[tuple[str, Callable[[str], _Spans]]]) -> str:
    claimed: list[tuple[int, int, str]] = []
    for kind, find in rules:
        earlier = list(claimed)
        for start, end in find(text):
            if not any(begun < end and start < ended for begun, ended, _ in earlier):
                claimed.append((start, end, kind))
    if not claimed:
        return text
    pieces, free = [], 0
    for start, end, kind in sorted(claimed):
        pieces += [text[free:start], LABELS[kind]]
        free = end
    return "".join([*pieces, text[free:]])


_PATTERNS: dict[str, re.Pattern[str]] = {
    kind: re.compile(pattern, re.ASCII)
    for kind, pattern in zip(KINDS, REDACT_PATTERNS, strict=True)
}
_WORD = re.compile(r"\w", re.ASCII)


def _plain(kind: str) -> Callable[[str], _Spans]:
    pattern = _PATTERNS[kind]
    return lambda text: (found.span() for found in pattern.finditer(text))


def _verified(kind: str, verify: Callable[[str, int], int | None]) -> Callable[[str], _Spans]:
    """Candidates that ``verify`` gives an end to; after a bad one, search from its second."""
    pattern = _PATTERNS[kind]

    def find(text: str) -> _Spans:
        found = pattern.search(text)
        while found:
            start = found.start()
            end = verify(text, start)
            if end is not None:
                yield start, end
            found = pattern.search(text, start + 1 if end is None else end)

    return find


def _ends_word(text: str, end: int) -> bool:
    return not _WORD.match(text, end)


def _iban_end(text: str, start: int) -> int | None:
    """Return the end: as many characters as the country asks for, single spaces allowed."""
    length = IBAN_LENGTHS.get(text[start : start + 2])
    if length is None:
        return None
    compact, at = "", start
    while len(compact) < length:
        at += text[at : at + 1] == " "
        character = text[at : at + 1]
        if not ("A" <= character <= "Z" or "0" <= character <= "9"):
            return None
        compact += character
        at += 1
    return at if _ends_word(text, at) and iban_checksum(compact) else None


def _card_end(text: str, start: int) -> int | None:
    """Return the end of the longest of 13 to 19 digits that ends a word and checks."""
    digits, ends, at = "", [], start
    while len(digits) < 19:
        at += bool(digits) and text[at : at + 1] in (" ", "-")
        character = text[at : at + 1]
        if not "0" <= character <= "9":
            break
        at += 1
        digits += character
        ends.append(at)
    for count in range(len(digits), 12, -1):
        if _ends_word(text, ends[count - 1]) and luhn(digits[:count]):
            return ends[count - 1]
    return None


def _ipv6(text: str) -> _Spans:
    """Give the addresses among the runs, without the punctuation of the sentence around."""
    for found in _PATTERNS["ipv6"].finditer(text):
        start, end = found.span()
        if (start and not _ends_word(text, start - 1)) or not _ends_word(text, end):
            continue
        run = found.group().rstrip(".")
        if run.endswith(":") and not run.endswith("::"):
            run = run[:-1]
        if len(run) <= 45 and any("0" <= character <= "9" for character in run) and is_ipv6(run):
            yield start, start + len(run)


_FINDERS: dict[str, Callable[[str], _Spans]] = {
    "token": _plain("token"),
    "email": _plain("email"),
    "iban": _verified("iban", _iban_end),
    "card": _verified("card", _card_end),
    "ipv6": _ipv6,
    "ipv4": _plain("ipv4"),
    "phone": _plain("phone"),
}
