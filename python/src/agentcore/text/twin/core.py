"""``Text``, ``Expression`` and ``Plan`` in pure Python, as the native module has them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import Any

from agentcore.text.arguments import as_list, check_choice, checked_kinds, string_list
from agentcore.text.contract import Case, Form
from agentcore.text.twin.cut import chunked, ngrams, sentences, tokenized
from agentcore.text.twin.normalize import normalize_many
from agentcore.text.twin.redact import pseudonymize_many, redact_many, restore_many
from agentcore.text.twin.shingles import hashed, near_duplicates, signatures
from agentcore.text.twin.similarity import MEASURES

__all__ = ["Expression", "Plan", "Text"]

_Parts = tuple[str | int, ...]


class Text:
    """The batch operations; see :class:`agentcore.text.FastStringProcessor` for each."""

    def normalize_many(
        self,
        texts: Iterable[str],
        *,
        form: Any = None,
        case: Any = "lower",
        whitespace: Any = True,
        controls: Any = False,
    ) -> list[str]:
        """Normalize each string."""
        flags = (bool(whitespace), bool(controls))
        check_choice("form", form, Form, optional=True)
        check_choice("case", case, Case, optional=True)
        return normalize_many(string_list("texts", texts), form, case, *flags)

    def redact_many(self, texts: Iterable[str], *, kinds: Any = None) -> list[str]:
        """Replace sensitive text by labels."""
        chosen = checked_kinds(kinds)
        return redact_many(string_list("texts", texts), chosen)

    def pseudonymize_many(
        self, texts: list[str], key: bytes, kinds: list[str], /
    ) -> tuple[list[str], dict[str, str]]:
        """Replace sensitive text by pseudonyms."""
        return pseudonymize_many(string_list("texts", texts), key, kinds)

    def restore_many(self, texts: list[str], mapping: dict[str, str], /) -> list[str]:
        """Put what pseudonyms stand for back in."""
        return restore_many(string_list("texts", texts), mapping)

    def tokenize_many(self, texts: list[str], kind: str, /) -> list[list[str]]:
        """Return the words, tokens or fields of each string."""
        return [tokenized(text, kind) for text in string_list("texts", texts)]

    def ngrams_many(self, texts: list[str], n: int, unit: str, /) -> list[list[str]]:
        """Return the n-grams of each string."""
        return [ngrams(text, n, unit) for text in string_list("texts", texts)]

    def sentences_many(self, texts: list[str], /) -> list[list[str]]:
        """Return the sentences of each string."""
        return [sentences(text) for text in string_list("texts", texts)]

    def chunk_many(
        self, texts: list[str], budget: int, overlap: int, by: str, /
    ) -> list[list[str]]:
        """Return the chunks of each string."""
        return [chunked(text, budget, overlap, by) for text in string_list("texts", texts)]

    def hash_many(self, texts: list[str], algorithm: str, /) -> list[str]:
        """Return the hash of each string."""
        return [hashed(text, algorithm) for text in string_list("texts", texts)]

    def similarity_many(self, query: str, choices: list[str], metric: str, /) -> list[float]:
        """Compare one string to many."""
        measure = MEASURES[metric]
        return [measure(query, choice) for choice in string_list("choices", choices)]

    def similarity_matrix(
        self, queries: list[str], choices: list[str], metric: str, _workers: int, /
    ) -> memoryview:
        """Compare many strings to many; the workers are for the native side."""
        measure = MEASURES[metric]
        rows, columns = string_list("queries", queries), string_list("choices", choices)
        values = array("f", (measure(query, choice) for query in rows for choice in columns))
        return _view(values, "f", len(rows), len(columns))

    def minhash_many(
        self, texts: list[str], permutations: int, shingle: int, seed: int, /
    ) -> memoryview:
        """Return the signature of each string."""
        values = signatures(string_list("texts", texts), permutations, shingle, seed)
        return _view(values, "I", len(texts), permutations)

    def near_duplicates(
        self,
        texts: list[str],
        threshold: float,
        permutations: int,
        shingle: int,
        seed: int,
        limit: int,
        /,
    ) -> list[tuple[int, int, float]]:
        """Return the pairs that resemble each other."""
        checked = string_list("texts", texts)
        return near_duplicates(checked, threshold, permutations, shingle, seed, limit)


def _view(values: array[Any], code: Any, rows: int, columns: int) -> memoryview:
    flat = memoryview(values.tobytes())
    return flat.cast(code, (rows, columns)) if rows and columns else flat.cast(code)


class Expression:
    """A regular expression made ready, from what :func:`translate` writes for Python."""

    def __init__(self, source: str) -> None:
        self._pattern = re.compile(source, re.ASCII)

    def extract_many(self, texts: Iterable[str], group: int = 0) -> list[list[str | None]]:
        """Return what the group matched in each string, match by match."""
        groups = self._pattern.groups
        if group > groups:
            raise ValueError(f"group must be from 0 to {groups}, got {group}")
        checked = string_list("texts", texts)
        return [[found[group] for found in self._pattern.finditer(text)] for text in checked]

    def replace_parts(self, texts: list[str], parts: _Parts, /) -> list[str]:
        """Replace the matches in each string by ``parts``: strings, and numbers of groups."""

        def replaced(found: re.Match[str]) -> str:
            pieces = (part if isinstance(part, str) else found[part] or "" for part in parts)
            return "".join(pieces)

        checked = string_list("texts", texts)
        changed = [self._pattern.sub(replaced, text) for text in checked]
        return [text if str.__eq__(out, text) else out
                for text, out in zip(checked, changed, strict=True)]  # fmt: skip


class Plan:
    """Steps made ready, as :mod:`agentcore.text.plan` has parsed them."""

    def __init__(self, steps: tuple[tuple[Any, ...], ...]) -> None:
        self._steps = steps

    def run(self, texts: Iterable[str]) -> list[Any]:
        """Return what each string becomes."""
        given: list[str] = string_list("texts", as_list("texts", texts))
        current: list[Any] = given
        finished = False
        for name, *arguments in self._steps:
            finished = name not in ("normalize", "redact", "replace")
            current = _STEPS[name](current, *arguments)
        if finished:
            return current
        return [text if str.__eq__(out, text) else out
                for text, out in zip(given, current, strict=True)]  # fmt: skip


_TEXT = Text()
_STEPS: dict[str, Any] = {
    "normalize": normalize_many,
    "redact": redact_many,
    "replace": lambda texts, _, parts, source: Expression(source).replace_parts(texts, parts),
    "tokenize": _TEXT.tokenize_many,
    "ngrams": _TEXT.ngrams_many,
    "sentences": _TEXT.sentences_many,
    "chunk": _TEXT.chunk_many,
    "hash": _TEXT.hash_many,
    "extract": lambda texts, _, group, source: Expression(source).extract_many(texts, group),
}
