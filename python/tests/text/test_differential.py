"""The native text operations against their twins: random texts, and every code point."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcore.integration import RustIntegrationManager
from agentcore.text import KINDS, FastStringProcessor, HashAlgorithm, Metric, words

COMPONENT = "agent_core_utils"
Pair = tuple[FastStringProcessor, FastStringProcessor]

TIMES = int(os.environ.get("AGENTCORE_EXAMPLES_TIMES", "1"))
"""How many times the usual number of examples a test takes, for a run at length."""


def examples(count: int) -> settings:
    return settings(max_examples=count * TIMES, deadline=None)


OPTIONS = [
    {"form": form, "case": case, "whitespace": whitespace, "controls": controls}
    for form, case, whitespace, controls in product(
        [None, "NFC", "NFD", "NFKC", "NFKD"],
        [None, "lower", "upper", "fold"],
        [True, False],
        [True, False],
    )
]


@pytest.fixture(scope="module")
def pair(both: tuple[RustIntegrationManager, RustIntegrationManager]) -> Pair:
    twin, native = (FastStringProcessor(manager=manager) for manager in both)
    assert (twin.implementation, native.implementation) == ("python", "native")
    return twin, native


ascii_text = st.text(st.characters(max_codepoint=0x7F), max_size=120)
any_text = st.one_of(
    ascii_text,
    st.text(
        st.sampled_from("aB \t\n\x00\x1c\x85\u00a0\u0130\u00df\ufb01\ud800\U0001f600"), max_size=90
    ),
    st.text(st.characters(exclude_categories=()), max_size=60),
)


@examples(700)
@given(texts=st.lists(any_text, max_size=5), options=st.sampled_from(OPTIONS))
def test_normalize(pair: Pair, texts: list[str], options: Any) -> None:
    twin, native = pair
    expected = twin.normalize_many(texts, **options)
    answer = native.normalize_many(texts, **options)
    assert answer == expected
    same = [out is put for out, put in zip(expected, texts, strict=True)]
    assert [out is put for out, put in zip(answer, texts, strict=True)] == same


@pytest.mark.slow
@pytest.mark.parametrize("form", [None, "NFC", "NFKC"])
@pytest.mark.parametrize("case", ["lower", "fold"])
def test_normalize_every_code_point(pair: Pair, form: Any, case: Any) -> None:
    """Alone and between letters and spaces: a final sigma or a combining mark needs company."""
    twin, native = pair
    points = [chr(point) for point in range(sys.maxunicode + 1)]
    for shape, controls in (("{}", True), ("A {} b{}C", False)):
        texts = [shape.format(point, point) for point in points]
        options = {"form": form, "case": case, "controls": controls}
        expected = twin.normalize_many(texts, **options)
        answer = native.normalize_many(texts, **options)
        assert [
            hex(ord(p)) for p, a, e in zip(points, answer, expected, strict=True) if a != e
        ] == []


pieces = st.one_of(
    st.sampled_from(
        [
            "jane@example.org", "@", "a.b", ".de", "10.0.0.1", "255.", "256", "fe80::1", "::", ":",
            "DE89 3704 0044 0532 0130 00", "DE89", "GB82WEST12345698765432", "4111 1111 1111 1111",
            "4111-1111-1111-111", "5500000000000004", "+49 30 1234567", "(212) 555-0123", "0171 ",
            "2345678", "sk-abcdefghijklmnop1234", "ghp_" + "a" * 36, "eyJhbGciOiJI",
            ".eyJzdWIiOiIx", "AKIAABCDEFGHIJKLMNOP", " ",
            "-", "_", "x", "\u00e9", "\u0660", "\U0001f600", "\ud800",
            "-----BEGIN PRIVATE KEY-----", "MIIE\n", "-----END PRIVATE KEY-----", "\n",
        ]
    ),
    st.text("0123456789 -.:", max_size=24),
    st.text("abcdefABCDEF0123456789:.", max_size=20),
    st.text(st.characters(exclude_categories=()), max_size=4),
)  # fmt: skip


@examples(800)
@given(
    texts=st.lists(st.lists(pieces, max_size=14).map("".join), max_size=4),
    kinds=st.one_of(st.none(), st.lists(st.sampled_from(KINDS), max_size=3)),
)
def test_redact(pair: Pair, texts: list[str], kinds: Any) -> None:
    twin, native = pair
    expected = twin.redact_many(texts, kinds=kinds)
    answer = native.redact_many(texts, kinds=kinds)
    assert answer == expected
    for out, put in zip(answer, texts, strict=True):
        assert (out is put) == (out == put)


def test_redact_every_code_point_as_a_border(pair: Pair) -> None:
    twin, native = pair
    shape = "a@b.de{0}10.0.0.1{0}fe80::1{0}4111111111111111{0}DE89370400440532013000{0}+4930123456"
    texts = [shape.format(chr(point)) for point in range(0x3000)]
    texts += [shape.format(chr(point)) for point in range(0x3000, sys.maxunicode + 1, 97)]
    assert native.redact_many(texts) == twin.redact_many(texts)


few = st.text("aAb\u00fc\ud800\U0001f600", max_size=40)


@examples(700)
@given(
    texts=st.lists(st.one_of(few, any_text), max_size=4),
    patterns=st.lists(
        st.one_of(
            st.text("aAb\u00fc\ud800\U0001f600", min_size=1, max_size=4), st.text(min_size=1)
        ),
        max_size=8,
    ),
    kind=st.sampled_from(["leftmost", "overlapping"]),
    ignore_case=st.booleans(),
)
def test_find(
    pair: Pair, texts: list[str], patterns: list[str], kind: Any, ignore_case: bool
) -> None:
    twin, native = pair
    options = {"kind": kind, "ignore_case": ignore_case}
    assert native.find_many(texts, patterns, **options) == twin.find_many(
        texts, patterns, **options
    )


@examples(400)
@given(texts=st.lists(any_text, max_size=4), patterns=st.lists(few.filter(bool), max_size=6))
def test_find_in_one_buffer(pair: Pair, texts: list[str], patterns: list[str]) -> None:
    twin, native = pair
    expected = twin.find_all(texts, patterns)
    assert native.find_all(texts, patterns) == expected
    lists = twin.find_many(texts, patterns)
    assert list(expected) == [(at, *hit) for at, hits in enumerate(lists) for hit in hits]


prose = st.lists(
    st.sampled_from(
        [
            "Word", "gr\u00fc\u00dfe", "x1_", "\u4f60\u597d", ".", "!", "?!", "...", "\u2026",
            "\u3002", "\uff1f", '"', "'", ")", "\u201d", "\u300d", " ", "  ", "\n", "\n \n", "\r\n",
            "\t", "\u3000",
            "\x1c", "\x85", "\u20ac", "\U0001f600", "\ud800", "-", ",",
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip
any_prose = st.one_of(prose, any_text)


@examples(600)
@given(
    texts=st.lists(any_prose, max_size=4),
    n=st.integers(1, 4),
    budget=st.integers(1, 9),
    by=st.sampled_from(["sentence", "token"]),
    data=st.data(),
)
def test_cut(
    pair: Pair, texts: list[str], n: int, budget: int, by: Any, data: st.DataObject
) -> None:
    twin, native = pair
    overlap = data.draw(st.integers(0, budget - 1))
    for kind in ("word", "token", "space"):
        expected = twin.tokenize_many(texts, kind=kind)
        assert native.tokenize_many(texts, kind=kind) == expected
    assert native.ngrams_many(texts, n) == twin.ngrams_many(texts, n)
    assert native.ngrams_many(texts, n, unit="char") == twin.ngrams_many(texts, n, unit="char")
    assert native.sentences_many(texts) == twin.sentences_many(texts)
    options: Any = {"budget": budget, "overlap": overlap, "by": by}
    chunks = twin.chunk_many(texts, **options)
    assert native.chunk_many(texts, **options) == chunks
    for text, cut in zip(texts, chunks, strict=True):
        assert all(chunk in text for chunk in cut)
        counts = [len(tokens) for tokens in twin.tokenize_many(cut, kind="token")]
        assert all(count <= budget for count in counts)


@examples(500)
@given(texts=st.lists(any_prose, max_size=4), algorithm=st.sampled_from(get_args(HashAlgorithm)))
def test_hash(pair: Pair, texts: list[str], algorithm: Any) -> None:
    twin, native = pair
    expected = twin.hash_many(texts, algorithm=algorithm)
    assert native.hash_many(texts, algorithm=algorithm) == expected


alike = st.one_of(
    st.text("abcd", max_size=12),
    st.text("ab \u00fc\U0001f600\ud800", max_size=40),
    st.text("ab c", min_size=55, max_size=75),
    st.text("ab", min_size=120, max_size=135),
)


@examples(150)
@given(
    queries=st.lists(alike, max_size=3),
    choices=st.lists(alike, max_size=4),
    metric=st.sampled_from(get_args(Metric)),
    workers=st.integers(1, 3),
)
def test_similarity(
    pair: Pair, queries: list[str], choices: list[str], metric: Any, workers: int
) -> None:
    twin, native = pair
    for query in queries:
        expected = twin.similarity_many(query, choices, metric=metric)
        assert native.similarity_many(query, choices, metric=metric) == expected
    options: Any = {"metric": metric, "workers": workers}
    matrix = native.similarity_matrix(queries, choices, **options)
    assert matrix == twin.similarity_matrix(queries, choices, **options)


@examples(150)
@given(
    texts=st.lists(st.one_of(any_prose, st.sampled_from(["a b c d e", "a b c d f", "a"])),
                   max_size=7),
    permutations=st.integers(1, 80),
    shingle=st.integers(1, 4),
    seed=st.integers(0, 2**64 - 1),
    threshold=st.floats(0.01, 1.0),
)  # fmt: skip
def test_near_duplicates(
    pair: Pair, texts: list[str], permutations: int, shingle: int, seed: int, threshold: float
) -> None:
    twin, native = pair
    options = {"permutations": permutations, "shingle": shingle, "seed": seed}
    assert native.minhash_many(texts, **options) == twin.minhash_many(texts, **options)
    pairs = twin.near_duplicates(texts, threshold=threshold, **options)
    assert native.near_duplicates(texts, threshold=threshold, **options) == pairs


@examples(500)
@given(texts=st.lists(st.lists(pieces, max_size=10).map("".join), max_size=4))
def test_pseudonyms(pair: Pair, texts: list[str]) -> None:
    twin, native = pair
    key = b"0123456789abcdef"
    changed, mapping = twin.pseudonymize_many(texts, key)
    assert native.pseudonymize_many(texts, key) == (changed, mapping)
    assert list(native.pseudonymize_many(texts, key)[1]) == list(mapping)
    for processor in pair:
        restored = processor.restore_many(changed, mapping)
        assert restored == texts
        for out, put in zip(restored, changed, strict=True):
            assert (out is put) == (out == put)


middle = st.lists(
    st.sampled_from(
        [
            "normalize",
            ("normalize", {"form": "NFKC", "case": "upper"}),
            ("normalize", {"case": None, "controls": True, "whitespace": False}),
            "redact",
            ("redact", {"kinds": ["email"]}),
            ("replace", {"pattern": "[a-c]", "replacement": "\u00e9"}),
            ("replace", {"pattern": "\u00e9", "replacement": "a"}),
            ("replace", {"pattern": r"(\w)\s(\w)", "replacement": r"\2 \1"}),
        ]
    ),
    max_size=4,
)
last = st.sampled_from(
    [
        [],
        ["tokenize"],
        [("ngrams", {"n": 2, "unit": "char"})],
        ["sentences"],
        [("chunk", {"budget": 3, "overlap": 1})],
        ["hash"],
        [("extract", {"pattern": r"(\w)\W", "group": 1})],
    ]
)


@examples(600)
@given(
    texts=st.lists(st.one_of(any_prose, st.lists(pieces, max_size=5).map("".join)), max_size=4),
    first=middle,
    end=last,
)
def test_plan(pair: Pair, texts: list[str], first: list[Any], end: list[Any]) -> None:
    if not first and not end:
        return
    twin, native = (processor.plan([*first, *end]) for processor in pair)
    expected = twin.run(texts)
    answer = native.run(texts)
    assert answer == expected
    if not end:
        for out, put in zip(answer, texts, strict=True):
            assert (out is put) == (out == put)


def every_code_point() -> Iterator[list[str]]:
    """All code points in parts of 2**16: a shared object between the parts would hide faults."""
    for first in range(0, sys.maxunicode + 1, 1 << 16):
        yield [chr(point) for point in range(first, first + (1 << 16))]


OPERATIONS: dict[str, Any] = {
    "redact": lambda t, points: t.redact_many([f"1::2{p}a@b.de" for p in points]),
    "tokenize": lambda t, points: t.tokenize_many([f"a{p}b {p}" for p in points], kind="token"),
    "words": lambda t, points: t.tokenize_many([f"a{p}b {p}" for p in points]),
    "fields": lambda t, points: t.tokenize_many([f"a{p}b {p}" for p in points], kind="space"),
    "ngrams": lambda t, points: t.ngrams_many([f"a{p}b" for p in points], 2, unit="char"),
    "sentences": lambda t, points: t.sentences_many([f"a.{p} b{p}c!{p}{p} d" for p in points]),
    "chunk": lambda t, points: t.chunk_many([f"a{p}. b" for p in points], budget=2),
    "find": lambda t, points: t.find_all([f"A{p}a{p}" for p in points], ["a"], ignore_case=True),
    "extract": lambda t, points: t.extract_many(points, r"\w|\s|[^a]|."),
    "replace": lambda t, points: t.replace_many([f"x{p}y" for p in points], r"\b.", r"<\g<0>>"),
    "hash": lambda t, points: t.hash_many(points, algorithm="blake2b-8"),
    "similarity": lambda t, points: t.similarity_many("a\u00fc\U0001f600\ud800", points),
    "minhash": lambda t, points: t.minhash_many([f"a{p}b" for p in points], permutations=2,
                                                shingle=1),
    "plan": lambda t, points: t.plan(["normalize", "hash"]).run([f"A{p}  B" for p in points]),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_code_point(pair: Pair, name: str) -> None:
    run = OPERATIONS[name]
    for points in every_code_point():
        expected, answer = (run(processor, points) for processor in pair)
        assert answer == expected, f"differs in the part that begins with {ord(points[0]):#x}"


def test_every_supported_python_splits_where_the_table_says() -> None:
    spaces = {chr(point) for point in range(sys.maxunicode + 1) if chr(point).isspace()}
    assert spaces == set(words.SPACE)
    assert words.FIELD.findall("".join(["a", *words.SPACE, "b"])) == ["a", "b"]
