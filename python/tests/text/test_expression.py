"""The subset of regular expressions: what is refused, and that both engines agree on the rest."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcore.integration import RustIntegrationManager
from agentcore.text import FastStringProcessor
from agentcore.text.expression import translate

COMPONENT = "agent_core_utils"
TIMES = int(os.environ.get("AGENTCORE_EXAMPLES_TIMES", "1"))
Pair = tuple[FastStringProcessor, FastStringProcessor]


@pytest.fixture(scope="module")
def pair(both: tuple[RustIntegrationManager, RustIntegrationManager]) -> Pair:
    twin, native = (FastStringProcessor(manager=manager) for manager in both)
    assert (twin.implementation, native.implementation) == ("python", "native")
    return twin, native


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a", "position 0: '(' is not closed"),
        ("a)", "position 1: ')' without '('"),
        ("[a", "position 0: '[' is not closed"),
        ("[b-a]", "position 0: the range in a class is none"),
        ("[\u00fc]", "position 1: a class can only hold ASCII characters"),
        (r"[\D]", "position 1: a negated class in a class is not supported"),
        ("[a&&b]", "position 2: '&&' in a class is ambiguous"),
        ("[[:alpha:]]", "position 1: '[' in a class is \\["),
        ("*a", "position 0: '*' repeats nothing; as a character it is \\*"),
        ("a}", "position 1: '}' closes nothing; as a character it is \\}"),
        ("a**", "position 2: repetitions of repetitions and possessive ones are not supported"),
        ("a*+", "position 2: repetitions of repetitions and possessive ones are not supported"),
        ("(?:a*)*b", "position 0: what is repeated can match nothing, which is not supported"),
        ("(a)+", "position 0: a group that captures can't be repeated; use (?:...)"),
        ("(?=a)", "position 0: only (...), (?:...) and (?P<name>...) are supported"),
        ("(?i)a", "position 0: only (...), (?:...) and (?P<name>...) are supported"),
        (r"(a)\1", "position 3: \\1 is not supported"),
        (r"\Ba", "position 0: \\B is not supported"),
        (r"\pL", "position 0: \\p is not supported"),
        ("(?P<x>a)(?P<x>b)", "position 8: there are two groups named 'x'"),
        ("a{2,1}", "position 1: the counts repeat nothing"),
        ("a{1001}", "position 1: a count is above 1000"),
        ("(?:a{100}){21}", "position 0: the expression is larger than 2000 characters"),
        ("(?:" * 30 + "a" + ")" * 30, "groups are nested deeper than 20"),
        ("a*", " can match nothing, which is not supported"),
        ("a|", " can match nothing, which is not supported"),
        (r"\b", " can match nothing, which is not supported"),
        ("", " can match nothing, which is not supported"),
    ],
)
def test_what_is_not_in_the_subset_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        translate(pattern)


def test_a_pattern_must_be_a_string() -> None:
    broken: Any = b"a"
    with pytest.raises(TypeError, match=r"^pattern must be str, got bytes$"):
        translate(broken)


def test_classes_are_explicit() -> None:
    made = translate(r"\d[^\s]", ignore_case=True)
    assert made.python == r"[\x30-\x39][\x00-\x08\x0E-\x1F\x21-\x7F\x80-\U0010ffff]"
    assert made.native.startswith(r"[\x30-\x39](?:[\x00-\x08\x0E-\x1F\x21-\x7F]|[\xC2-\xDF]")
    assert translate("(?P<a>x)(?P<b>y)").names == {"a": 1, "b": 2}


atoms = st.sampled_from(
    ["a", "b", "ab", ".", "[ab]", "[^a]", r"\w", r"\W", r"\d", r"\s", r"\S", "\u00fc", "-", r"\.",
     r"\x20", r"\b", "^", "$", "\U0001f600", "[a-c0-3]", "\ud800"]
)  # fmt: skip
counts = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?", "??", "{1,3}?"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        inner.map(lambda part: f"({part})"),
        inner.map(lambda part: f"({part})?"),
        st.tuples(inner, counts).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


patterns = st.recursive(atoms, grown, max_leaves=8)
texts = st.text("aAbc01 -.\n\u00fc\ud800\U0001f600", max_size=24)


@settings(max_examples=900 * TIMES, deadline=None)
@given(pattern=patterns, given=st.lists(texts, max_size=4), ignore_case=st.booleans())
def test_both_engines_agree(pair: Pair, pattern: str, given: list[str], ignore_case: bool) -> None:
    try:
        made = translate(pattern, ignore_case)
    except ValueError:
        return  # not in the subset
    twin, native = (one.expression(pattern, ignore_case=ignore_case) for one in pair)
    for group in range(made.groups + 1):
        assert native.extract_many(given, group=group) == twin.extract_many(given, group=group)
    for replacement in ("<>", r"[\g<0>]", "".join(rf"\g<{n}>," for n in range(made.groups + 1))):
        expected = twin.replace_many(given, replacement)
        answer = native.replace_many(given, replacement)
        assert answer == expected
        same = [out is put for out, put in zip(expected, given, strict=True)]
        assert [out is put for out, put in zip(answer, given, strict=True)] == same


@settings(max_examples=400 * TIMES, deadline=None)
@given(pattern=patterns, given=st.lists(texts, max_size=4))
def test_the_subset_means_what_re_means(pattern: str, given: list[str]) -> None:
    """What is accepted finds what Python's own reading of it finds, but for ``$``."""
    try:
        made = translate(pattern)
    except ValueError:
        return
    plain = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    for text in given:
        expected = [found.span() for found in plain.finditer(text)]
        assert [found.span() for found in re.finditer(made.python, text, re.ASCII)] == expected
