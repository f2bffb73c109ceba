"""FastStringProcessor: what callers use; they can't tell which implementation answers.

The batch methods that are called most have no Python frame of ours on their way
(see :mod:`agentcore.text.answering`); the others check their options here, once,
so that both implementations refuse in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from agentcore.integration import RustIntegrationManager, default_manager
from agentcore.text import twin
from agentcore.text.answering import Answering
from agentcore.text.arguments import as_list, check_choice, check_integer, checked_kinds
from agentcore.text.arguments import check_patterns as _check_patterns
from agentcore.text.contract import (
    Case,
    ChunkUnit,
    Form,
    HashAlgorithm,
    Kind,
    MatchKind,
    Metric,
    NgramUnit,
    TextCore,
    TokenKind,
)
from agentcore.text.handles import PatternFinder, TextExpression, TextPlan
from agentcore.text.hits import Hits
from agentcore.text.plan import NGRAM_LIMIT, Step, checked_chunking

__all__ = ["FastStringProcessor"]

PERMUTATIONS_LIMIT = 4096
WORKERS_LIMIT = 64
PAIRS_LIMIT = 1_000_000


class FastStringProcessor(Answering):
    """Batch operations on lists of strings. Safe under threads.

    Native work releases the interpreter, so threads run side by side. See
    :mod:`agentcore.text.contract` for what each operation means to the letter. All
    methods raise TypeError if ``texts`` is one string, or something in it is none,
    and ValueError for an option out of range.

    Args:
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        NativeUnavailableError: native code is required and can't be used.
    """

    HOT: ClassVar = ("normalize_many", "redact_many")
    _core: TextCore

    def __init__(self, *, manager: RustIntegrationManager | None = None) -> None:
        super().__init__(
            default_manager() if manager is None else manager,
            lambda native, bridge: native.Text(bridge),
            twin.Text,
        )

    def normalize(self, text: str, **options: Any) -> str:
        """Normalize one string; see :meth:`normalize_many`."""
        return self.normalize_many([text], **options)[0]

    def normalize_many(
        self,
        texts: Iterable[str],
        *,
        form: Form | None = None,
        case: Case | None = "lower",
        whitespace: bool = True,
        controls: bool = False,
    ) -> list[str]:
        """Normalize each string.

        Args:
            texts: the strings.
            form: the Unicode form to bring them to first, if any.
            case: ``"lower"``, ``"upper"``, ``"fold"`` (for comparing), or None to leave it.
            whitespace: make one space of each run of whitespace, none at the ends.
            controls: drop control characters that are no whitespace.
        """
        options: dict[str, Any] = {"form": form, "case": case}
        return self._core.normalize_many(texts, whitespace=whitespace, controls=controls, **options)

    def redact(self, text: str, *, kinds: Iterable[Kind] | None = None) -> str:
        """Redact one string; see :meth:`redact_many`."""
        return self.redact_many([text], kinds=kinds)[0]

    def redact_many(
        self, texts: Iterable[str], *, kinds: Iterable[Kind] | None = None
    ) -> list[str]:
        """Replace sensitive text in each string by its label, ``[EMAIL]`` for one.

        Args:
            texts: the strings.
            kinds: which kinds of :data:`agentcore.text.KINDS`; all if not given.
        """
        return self._core.redact_many(texts, kinds=kinds)

    def pseudonymize_many(
        self, texts: Iterable[str], key: bytes, *, kinds: Iterable[Kind] | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """Replace sensitive text by tokens that :meth:`restore_many` can undo.

        Equal text gets an equal token under an equal key, so that texts can still be
        compared. Who has neither key nor mapping learns nothing from a token.

        Args:
            texts: the strings.
            key: the secret, at least 16 bytes.
            kinds: which kinds; all if not given.

        Returns:
            The strings, and what each token stands for.
        """
        if not isinstance(key, bytes):
            raise TypeError(f"key must be bytes, got {type(key).__name__}")
        if len(key) < 16:
            raise ValueError(f"key must have at least 16 bytes, got {len(key)}")
        chosen = checked_kinds(kinds)
        return self._core.pseudonymize_many(as_list("texts", texts), key, chosen)

    def restore_many(self, texts: Iterable[str], mapping: Mapping[str, str]) -> list[str]:
        """Put back what the tokens of :meth:`pseudonymize_many` stand for; others stay."""
        if not isinstance(mapping, Mapping):
            raise TypeError(f"mapping must be a mapping, got {type(mapping).__name__}")
        for token, piece in mapping.items():
            if not isinstance(token, str) or not isinstance(piece, str):
                raise TypeError(f"mapping must be of str to str, got {token!r}: {piece!r}")
        return self._core.restore_many(as_list("texts", texts), dict(mapping))

    def finder(
        self, patterns: Iterable[str], *, kind: MatchKind = "leftmost", ignore_case: bool = False
    ) -> PatternFinder:
        """Make patterns ready to be found, for when they are used again and again.

        Args:
            patterns: the strings to find, none of them empty.
            kind: ``"leftmost"`` or ``"overlapping"``.
            ignore_case: let ASCII letters match in either case.
        """
        check_choice("kind", kind, MatchKind, optional=False)
        checked = as_list("patterns", patterns)
        _check_patterns(checked)
        return PatternFinder(self._manager, checked, kind, bool(ignore_case))

    def find_many(
        self, texts: Iterable[str], patterns: Iterable[str], **options: Any
    ) -> list[list[tuple[int, int, int]]]:
        """Find patterns in each string; see :meth:`finder` and :class:`PatternFinder`."""
        return self.finder(patterns, **options).find_many(texts)

    def find_all(self, texts: Iterable[str], patterns: Iterable[str], **options: Any) -> Hits:
        """Find patterns in all strings, in one buffer; see :meth:`PatternFinder.find_all`."""
        return self.finder(patterns, **options).find_all(texts)

    def find(
        self, text: str, patterns: Iterable[str], **options: Any
    ) -> list[tuple[int, int, int]]:
        """Find patterns in one string; see :meth:`find_many`."""
        return self.find_many([text], patterns, **options)[0]

    def expression(self, pattern: str, *, ignore_case: bool = False) -> TextExpression:
        """Make a regular expression ready; see :mod:`agentcore.text.expression`."""
        return TextExpression(self._manager, pattern, ignore_case)

    def extract_many(
        self,
        texts: Iterable[str],
        pattern: str,
        *,
        group: int | str = 0,
        ignore_case: bool = False,
    ) -> list[list[str | None]]:
        """Return what an expression matched; see :meth:`TextExpression.extract_many`."""
        return self.expression(pattern, ignore_case=ignore_case).extract_many(texts, group=group)

    def replace_many(
        self, texts: Iterable[str], pattern: str, replacement: str, *, ignore_case: bool = False
    ) -> list[str]:
        """Replace what an expression matches; see :meth:`TextExpression.replace_many`."""
        return self.expression(pattern, ignore_case=ignore_case).replace_many(texts, replacement)

    def plan(self, steps: Iterable[Step]) -> TextPlan:
        """Make several steps ready, to be run in one call.

        Args:
            steps: each a name, or a name with the options of the method of that name:
                ``normalize``, ``redact``, ``replace``; as the last also ``tokenize``,
                ``ngrams``, ``sentences``, ``chunk``, ``hash`` or ``extract``.
        """
        return TextPlan(self._manager, steps)

    def tokenize_many(self, texts: Iterable[str], *, kind: TokenKind = "word") -> list[list[str]]:
        """Return the words of each string; ``"token"``: with punctuation; ``"space"``: fields."""
        check_choice("kind", kind, TokenKind, optional=False)
        return self._core.tokenize_many(as_list("texts", texts), kind)

    def ngrams_many(
        self, texts: Iterable[str], n: int, *, unit: NgramUnit = "word"
    ) -> list[list[str]]:
        """Return the runs of ``n`` words, joined by spaces, or ``n`` characters."""
        check_integer("n", n, 1, NGRAM_LIMIT)
        check_choice("unit", unit, NgramUnit, optional=False)
        return self._core.ngrams_many(as_list("texts", texts), n, unit)

    def sentences_many(self, texts: Iterable[str]) -> list[list[str]]:
        """Return the sentences of each string, without the whitespace around them."""
        return self._core.sentences_many(as_list("texts", texts))

    def chunk_many(
        self,
        texts: Iterable[str],
        *,
        budget: int = 256,
        overlap: int = 0,
        by: ChunkUnit = "sentence",
    ) -> list[list[str]]:
        """Cut each string into chunks.

        Args:
            texts: the strings.
            budget: the most tokens (words and punctuation marks) of a chunk.
            overlap: the most tokens that a chunk shares with the one before.
            by: cut between sentences (and in those beyond the budget), or anywhere.
        """
        options = checked_chunking(budget, overlap, by)
        return self._core.chunk_many(as_list("texts", texts), *options)

    def hash_many(self, texts: Iterable[str], *, algorithm: HashAlgorithm = "blake2b") -> list[str]:
        """Return the hash of each string's UTF-8 in hexadecimal."""
        check_choice("algorithm", algorithm, HashAlgorithm, optional=False)
        return self._core.hash_many(as_list("texts", texts), algorithm)

    def similarity_many(
        self, query: str, choices: Iterable[str], *, metric: Metric = "levenshtein"
    ) -> list[float]:
        """Return how much one string resembles each of many, from 0 to 1."""
        if not isinstance(query, str):
            raise TypeError(f"query must be str, got {type(query).__name__}")
        check_choice("metric", metric, Metric, optional=False)
        return self._core.similarity_many(query, as_list("choices", choices), metric)

    def similarity_matrix(
        self,
        queries: Iterable[str],
        choices: Iterable[str],
        *,
        metric: Metric = "levenshtein",
        workers: int = 1,
    ) -> memoryview:
        """Return how much each of many strings resembles each of many.

        Args:
            queries: one row each.
            choices: one column each.
            metric: the measure.
            workers: how many threads share the rows.

        Returns:
            Rows and columns of ``float`` in single precision; of one dimension and empty
            if either list is.
        """
        check_choice("metric", metric, Metric, optional=False)
        check_integer("workers", workers, 1, WORKERS_LIMIT)
        lists = (as_list("queries", queries), as_list("choices", choices))
        return self._core.similarity_matrix(*lists, metric, workers)

    def minhash_many(
        self, texts: Iterable[str], *, permutations: int = 128, shingle: int = 3, seed: int = 1
    ) -> memoryview:
        """Return the MinHash signature of each string: a row of 32-bit numbers each."""
        options = _checked_hashing(permutations, shingle, seed)
        return self._core.minhash_many(as_list("texts", texts), *options)

    def near_duplicates(
        self,
        texts: Iterable[str],
        *,
        threshold: float = 0.8,
        permutations: int = 128,
        shingle: int = 3,
        seed: int = 1,
        limit: int = PAIRS_LIMIT,
    ) -> list[tuple[int, int, float]]:
        """Return the pairs of strings that resemble each other, with the estimate.

        Args:
            texts: the strings; one without words resembles none.
            threshold: the least share of common shingles, above 0, at most 1.
            permutations: the values of a signature; more estimate better.
            shingle: the words that are compared together.
            seed: another one makes other mistakes.
            limit: the most pairs; more are an error.
        """
        if isinstance(threshold, bool) or not isinstance(threshold, int | float):
            raise TypeError(f"threshold must be a number, got {type(threshold).__name__}")
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, got {threshold!r}")
        check_integer("limit", limit, 0, 100 * PAIRS_LIMIT)
        options = _checked_hashing(permutations, shingle, seed)
        return self._core.near_duplicates(
            as_list("texts", texts), float(threshold), *options, limit
        )


def _checked_hashing(permutations: Any, shingle: Any, seed: Any) -> tuple[int, int, int]:
    check_integer("permutations", permutations, 1, PERMUTATIONS_LIMIT)
    check_integer("shingle", shingle, 1, NGRAM_LIMIT)
    check_integer("seed", seed, 0, 2**64 - 1)
    return permutations, shingle, seed
