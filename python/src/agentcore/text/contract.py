"""What the text operations promise, whichever implementation answers.

All operations take a list of ``str`` and return a list of the same length. A
string that does not change is returned as the same object. Offsets are in code
points, as Python counts. Lone surrogates are characters like others.

**Normalize**, in this order: the Unicode ``form``; ``controls`` drops control
characters (category Cc) that are no whitespace; ``case`` lowers or folds;
``whitespace`` makes one space of each run and none at the ends. Whitespace and
case are those of this Python's ``str``.

**Find.** ``leftmost``: from left to right, the longest match at each place, none
sharing text. ``overlapping``: all matches, by end, then the longest first, then
by pattern. ``ignore_case`` is about ASCII letters alone.

**Redact.** Each kind searches the whole text by itself with the rules below.
Where matches of two kinds share text, the kind that comes first in :data:`KINDS`
keeps it. The rules are ASCII: any other character is a border of a match.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol, get_args

__all__ = [
    "KINDS",
    "LABELS",
    "MATCH_BYTES_LIMIT",
    "PATTERNS_LIMIT",
    "REDACT_PATTERNS",
    "Case",
    "Form",
    "Kind",
    "MatchKind",
    "MatcherCore",
    "TextCore",
]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
Case = Literal["lower", "fold"]
MatchKind = Literal["leftmost", "overlapping"]
Kind = Literal["token", "email", "iban", "card", "ipv6", "ipv4", "phone"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""All kinds of sensitive text, in the order in which they claim it."""

LABELS: dict[str, str] = {kind: f"[{kind.upper()}]" for kind in KINDS}
"""What stands in the text instead."""

PATTERNS_LIMIT = 100_000
"""The most patterns of one matcher."""

MATCH_BYTES_LIMIT = 8 << 20
"""The most bytes (UTF-8) of all patterns of one matcher together."""

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

REDACT_PATTERNS: tuple[str, ...] = (
    # token: known services, JSON web tokens, private keys in PEM
    (
        r"\b(?:sk-[A-Za-z0-9_-]{16,256}|[spr]k_(?:live|test)_[A-Za-z0-9]{16,256}"
        r"|gh[opsur]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"
        r"|glpat-[A-Za-z0-9_-]{20,255}|xox[abeoprs]-[A-Za-z0-9-]{10,255}"
        r"|A(?:KIA|SIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{30,255}"
        r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,255}"
        r"|eyJ[A-Za-z0-9_-]{8,1024}\.eyJ[A-Za-z0-9_-]{8,1024}\.[A-Za-z0-9_-]{8,1024})"
        r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/= \t\r\n]+"
        r"-----END [A-Z ]{0,30}PRIVATE KEY-----"
    ),
    # email
    r"\b[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    # iban: its first five characters; length and checksum decide (ISO 13616)
    r"\b[A-Z]{2}[0-9]{2} ?[A-Z0-9]",
    # card: 13 to 19 digits; the check digit decides (ISO/IEC 7812)
    r"\b[2-6](?:[ -]?[0-9]){12,18}",
    # ipv6: a run of its characters; the grammar decides (RFC 4291)
    r"[0-9A-Fa-f:.]{3,}",
    # ipv4
    rf"\b(?:{_OCTET}\.){{3}}{_OCTET}\b",
    # phone: international, North American, national with a leading zero
    (
        r"(?:\+[1-9](?:[ ().-]{0,2}[0-9]){6,14}|\b[2-9][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{4}"
        r"|\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}"
        r"|\b0[1-9][0-9]{1,3}[ /-][0-9]{3,4}[ -]?[0-9]{2,5})\b"
    ),
)
"""The expressions of the rules, in the order of :data:`KINDS`; the native side has the same."""


class MatcherCore(Protocol):
    """Patterns made ready to be found."""

    def find_many(self, texts: list[str], /) -> list[list[tuple[int, int, int]]]: ...


class TextCore(Protocol):
    """What the native module and the twin both have."""

    def normalize_many(
        self,
        texts: list[str],
        form: str | None,
        case: str | None,
        whitespace: bool,
        controls: bool,
        /,
    ) -> list[str]: ...
    def redact_many(self, texts: list[str], kinds: list[str], /) -> list[str]: ...
    def Matcher(  # noqa: N802 - a class, seen through a module
        self, patterns: list[str], kind: str, ignore_case: bool, /
    ) -> MatcherCore: ...


def as_list(name: str, texts: Any) -> list[str]:
    """Return ``texts`` as a list.

    Raises:
        TypeError: it is one string (an easy slip: a string is iterable), or not iterable.
    """
    if type(texts) is list:
        return texts
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        kind = type(texts).__name__
        raise TypeError(f"{name} must be an iterable of str, got {kind}")
    return list(texts)


def check_strings(name: str, texts: list[Any]) -> None:
    """Raise TypeError if something in the list is no string."""
    for at, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"{name}[{at}] must be str, got {type(text).__name__}")


def check_choice(name: str, value: object, kind: Any, *, optional: bool) -> None:
    """Raise ValueError if ``value`` is not one of the words of the literal type ``kind``."""
    words = get_args(kind)
    if value not in words and not (optional and value is None):
        known = ", ".join([*map(repr, words), "None"] if optional else map(repr, words))
        raise ValueError(f"{name} must be one of {known}, got {value!r}")


def check_patterns(patterns: list[str]) -> None:
    """Check the bounds of a matcher.

    Raises:
        TypeError: a pattern is no string.
        ValueError: a pattern is empty, or there are too many.
    """
    if len(patterns) > PATTERNS_LIMIT:
        raise ValueError(
            f"too many patterns: at most {PATTERNS_LIMIT} patterns, got {len(patterns)}"
        )
    check_strings("patterns", patterns)
    if "" in patterns:
        raise ValueError(f"patterns[{patterns.index('')}] is empty")
    size = sum(len(pattern.encode("utf-8", "surrogatepass")) for pattern in patterns)
    if size > MATCH_BYTES_LIMIT:
        raise ValueError(f"too many patterns: at most {MATCH_BYTES_LIMIT} bytes, got {size}")


def checked_kinds(kinds: Any) -> list[str]:
    """Return ``kinds`` as a list; all of them for None.

    Raises:
        TypeError: it is one string or not iterable.
        ValueError: a kind does not exist.
    """
    if kinds is None:
        return list(KINDS)
    chosen = as_list("kinds", kinds)
    for kind in chosen:
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
    return chosen
