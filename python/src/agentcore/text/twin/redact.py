"""Redaction in pure Python."""

from __future__ import annotations

import hmac
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from agentcore.text.contract import KINDS, LABELS, REDACT_PATTERNS
from agentcore.text.twin.checks import IBAN_LENGTHS, iban_checksum, is_ipv6, luhn

__all__ = ["pseudonymize_many", "redact_many", "restore_many"]


def redact_many(texts: list[str], kinds: list[str]) -> list[str]:
    """Replace sensitive text of the named kinds in each string."""
    rules = _rules(kinds)
    return [_redacted(text, rules, lambda kind, _: LABELS[kind]) for text in texts]


def pseudonymize_many(
    texts: list[str], key: bytes, kinds: list[str]
) -> tuple[list[str], dict[str, str]]:
    """Replace sensitive text by pseudonyms; also return what each stands for."""
    rules = _rules(kinds)
    mapping: dict[str, str] = {}

    def pseudonym(kind: str, piece: str) -> str:
        digest = hmac.digest(key, f"{kind}\0{piece}".encode(), "sha256")
        token = f"{LABELS[kind][:-1]}:{digest[:12].hex()}]"
        mapping[token] = piece
        return token

    return [_redacted(text, rules, pseudonym) for text in texts], mapping


def restore_many(texts: list[str], mapping: dict[str, str]) -> list[str]:
    """Put what the pseudonyms stand for back in."""

    def piece(found: re.Match[str]) -> str:
        return mapping.get(found[0], found[0])

    restored = (_PSEUDONYM.sub(piece, text) for text in texts)
    return [text if str.__eq__(out, text) else out
            for text, out in zip(texts, restored, strict=True)]  # fmt: skip


_PSEUDONYM = re.compile(rf"\[(?:{'|'.join(kind.upper() for kind in KINDS)}):[0-9a-f]{{24}}\]")


def _rules(kinds: list[str]) -> list[tuple[str, Callable[[str], _Spans]]]:
    return [(kind, _FINDERS[kind]) for kind in KINDS if kind in kinds]


_Spans = Iterator[tuple[int, int]]


def _redacted(
    text: str,
    rules: Sequence[tuple[str, Callable[[str], _Spans]]],
    replace: Callable[[str, str], str],
) -> str:
    claimed: list[tuple[int, int, str]] = []  # sorted; no two share text
    for kind, find in rules:
        earlier, claimed = claimed, list(claimed)
        for start, end in find(text):
            at = bisect_right(earlier, (start,))
            before = at > 0 and earlier[at - 1][1] > start
            if not before and (at == len(earlier) or earlier[at][0] >= end):
                claimed.append((start, end, kind))
        claimed.sort()
    if not claimed:
        return text
    pieces, free = [], 0
    for start, end, kind in claimed:
        pieces += [text[free:start], replace(kind, text[start:end])]
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
