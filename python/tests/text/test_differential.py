"""The native text operations against their twins: random texts, and every code point."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcore.integration import RustIntegrationManager
from agentcore.text import KINDS, FastStringProcessor

COMPONENT = "agent_core_utils"
Pair = tuple[FastStringProcessor, FastStringProcessor]

OPTIONS = [
    {"form": form, "case": case, "whitespace": whitespace, "controls": controls}
    for form, case, whitespace, controls in product(
        [None, "NFC", "NFD", "NFKC", "NFKD"], [None, "lower", "upper", "fold"],
        [True, False], [True, False]
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


@settings(max_examples=1500, deadline=None)
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


@settings(max_examples=4000, deadline=None)
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


@settings(max_examples=2000, deadline=None)
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
