"""What the text operations promise, whichever implementation answers.

All batch operations take an iterable of ``str`` and answer in its order. A string
that does not change is returned as the same object. Offsets are in code points, as
Python counts. Lone surrogates are characters like others; as bytes (hashes) they
are what ``surrogatepass`` makes of them.

**Normalize**, in this order: the Unicode ``form``; ``controls`` drops control
characters (category Cc) that are no whitespace; ``case`` lowers, uppers or folds;
``whitespace`` makes one space of each run and none at the ends. Whitespace, case
and forms are those of this Python: the only operation that depends on its tables.

**Words, sentences, chunks** go by the fixed tables of :mod:`agentcore.text.words`.

**Find.** ``leftmost``: from left to right, the longest match at each place, none
sharing text. ``overlapping``: all matches, by end, then the longest first, then
by pattern. ``ignore_case`` is about ASCII letters alone.

**Expressions** are the subset of :mod:`agentcore.text.expression`: matches from
left to right, none sharing text, none empty.

**Redact.** Each kind searches the whole text by itself with the rules below.
Where matches of two kinds share text, the kind that comes first in :data:`KINDS`
keeps it. The rules are ASCII: any other character is a border of a match. A
pseudonym is ``[KIND:`` and the first 12 bytes, in hexadecimal, of HMAC-SHA-256
with the caller's key over the kind's name, a zero byte and the text, and ``]``.

**Resemblance** is from 0 to 1, of code points. ``levenshtein``: 1 less the edit
distance over the longer length. ``jaro_winkler``: Jaro's, plus 0.1 for each of up
to four equal first characters times what is missing, if above 0.7.
``token_set``: of the sorted common words and each side's rest, joined by spaces,
the best ratio (1 less the insertions and deletions over both lengths); 0 where a
side has no word.

**Near-duplicates.** A text's shingles are its runs of ``shingle`` words (all of
them, if fewer); the hash of a word is ``fast64``, of a shingle its mix. A signature
is the least of ``(a * hash + b) % 2**32`` for each pair ``a, b`` drawn from
``seed`` by SplitMix64. Pairs are candidates if a band of rows agrees, and given if
the share of equal values reaches ``threshold``.

**Hashes** of the UTF-8, in hexadecimal: ``blake2b`` (32 bytes), ``blake2b-8``,
``sha256``, and ``fast64``, which is not safe against chosen texts.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

from typing import Any, Literal, Protocol, get_args

__all__ = [
    "KINDS",
    "LABELS",
    "MATCH_BYTES_LIMIT",
    "PATTERNS_LIMIT",
    "REDACT_PATTERNS",
    "Case",
    "ChunkUnit",
    "Form",
    "HashAlgorithm",
    "Kind",
    "MatchKind",
    "Metric",
    "NgramUnit",
    "TextCore",
    "TokenKind",
]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
Case = Literal["lower", "upper", "fold"]
MatchKind = Literal["leftmost", "overlapping"]
TokenKind = Literal["word", "token", "space"]
NgramUnit = Literal["word", "char"]
ChunkUnit = Literal["sentence", "token"]
HashAlgorithm = Literal["blake2b", "blake2b-8", "sha256", "fast64"]
Metric = Literal["levenshtein", "jaro_winkler", "token_set"]
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
"""The expressions of the rules, in the order of :data:`KINDS`."""


class TextCore(Protocol):
    """What the native class ``Text`` and the twin's both have; see the facade for each."""

    def normalize_many(
        self,
        texts: Any,
        *,
        form: Any = None,
        case: Any = "lower",
        whitespace: Any = True,
        controls: Any = False,
    ) -> list[str]: ...
    def redact_many(self, texts: Any, *, kinds: Any = None) -> list[str]: ...
    def pseudonymize_many(
        self, texts: list[str], key: bytes, kinds: list[str], /
    ) -> tuple[list[str], dict[str, str]]: ...
    def restore_many(self, texts: list[str], mapping: dict[str, str], /) -> list[str]: ...
    def tokenize_many(self, texts: list[str], kind: str, /) -> list[list[str]]: ...
    def ngrams_many(self, texts: list[str], n: int, unit: str, /) -> list[list[str]]: ...
    def sentences_many(self, texts: list[str], /) -> list[list[str]]: ...
    def chunk_many(
        self, texts: list[str], budget: int, overlap: int, by: str, /
    ) -> list[list[str]]: ...
    def hash_many(self, texts: list[str], algorithm: str, /) -> list[str]: ...
    def similarity_many(self, query: str, choices: list[str], metric: str, /) -> list[float]: ...
    def similarity_matrix(
        self, queries: list[str], choices: list[str], metric: str, workers: int, /
    ) -> memoryview: ...
    def minhash_many(
        self, texts: list[str], permutations: int, shingle: int, seed: int, /
    ) -> memoryview: ...
    def near_duplicates(
        self,
        texts: list[str],
        threshold: float,
        permutations: int,
        shingle: int,
        seed: int,
        limit: int,
        /,
    ) -> list[tuple[int, int, float]]: ...
