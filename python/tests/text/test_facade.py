"""FastStringProcessor over both implementations: what a user can see is the same."""

from __future__ import annotations

import sys
import threading
from types import BuiltinMethodType
from typing import Any

import pytest

from agentcore.integration import RustIntegrationManager
from agentcore.text import KINDS, FastStringProcessor
from agentcore.text.contract import PATTERNS_LIMIT

COMPONENT = "agent_core_utils"


@pytest.fixture
def text(manager: RustIntegrationManager) -> FastStringProcessor:
    return FastStringProcessor(manager=manager)


def test_the_implementation_is_the_one_asked_for(
    text: FastStringProcessor, request: pytest.FixtureRequest
) -> None:
    assert text.implementation == request.node.callspec.params["manager"]


@pytest.mark.parametrize(
    ("options", "given", "expected"),
    [
        ({}, "  Some\t\x1cTEXT \n", "some text"),
        ({}, "\u00c4pfel\u00a0\u2003\u0130", "\u00e4pfel i\u0307"),
        ({"case": None}, " A  B ", "A B"),
        ({"case": "fold"}, "Stra\u00dfe", "strasse"),
        ({"whitespace": False}, " A  B ", " a  b "),
        ({"controls": True}, "a\x00 \x07 b\x7f\x85\x9f", "a b"),
        ({"controls": True, "whitespace": False}, "a\x00\t\x1b[0m\n", "a\t[0m\n"),
        ({"form": "NFKC"}, "\ufb01x \u2460", "fix 1"),
        ({"form": "NFD", "case": None}, "\u00e9", "e\u0301"),
        ({}, "\ud800 A", "\ud800 a"),
        ({}, "", ""),
    ],
)
def test_normalize(text: FastStringProcessor, options: Any, given: str, expected: str) -> None:
    assert text.normalize(given, **options) == expected
    padded = [given, "x" * 20_000, given]  # long enough to release the interpreter
    assert text.normalize_many(padded, **options) == [expected, "x" * 20_000, expected]


def test_what_does_not_change_is_the_same_object(text: FastStringProcessor) -> None:
    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return False

        __hash__ = str.__hash__

    given = ["plain text", "gr\u00f6\u00dfe und \U0001f600", "\ud800", Name("subclass"), ""]
    for changed in (text.normalize_many(given, form="NFC"), text.redact_many(given)):
        assert all(out is put for out, put in zip(changed, given, strict=True))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("mail jane.doe+x@example.co.uk, now", "mail [EMAIL], now"),
        ("_j@x-y.de and a@b and @c.de", "[EMAIL] and a@b and @c.de"),
        (
            "\u00e9x@y.de\u00e9 \U0001f600 10.0.0.1\ud800",
            "\u00e9[EMAIL]\u00e9 \U0001f600 [IPV4]\ud800",
        ),
        ("pay DE89370400440532013000 or DE89 3704 0044 0532 0130 00.", "pay [IBAN] or [IBAN]."),
        ("GB82 WEST 1234 5698 7654 32 GB82WEST12345698765431", "[IBAN] GB82WEST12345698765431"),
        ("4111-1111-1111-1111 12/30; 5500 0000 0000 0004 7", "[CARD] 12/30; [CARD] 7"),
        ("4111 1111 1111 1112 x4111111111111111", "4111 1111 1111 1112 x4111111111111111"),
        ("epoch 1700000000000, 1.2.3, 999.1.1.1, 2026-11-23", None),
        ("from 10.0.0.1:80 to 255.255.255.255", "from [IPV4]:80 to [IPV4]"),
        ("fe80::1, ::1. [2001:db8::1]:443 1:2:3:4:5:6:7:8", "[IPV6], [IPV6]. [[IPV6]]:443 [IPV6]"),
        ("std::vector, abc::def, 10:20:30, a::b::c, 1::2::3", None),
        ("+49 30 1234567, (212) 555-0123, 212.555.0123, 0171 2345678", ", ".join(["[PHONE]"] * 4)),
        ("sk-abcdefghijklmnop1234. ghp_" + "a" * 36, "[TOKEN]. [TOKEN]"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK AKIA" + "Z" * 16, "[TOKEN] [TOKEN]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE+/==\n-----END RSA PRIVATE KEY-----",
            "[TOKEN]",
        ),
        ("task-sk-short, risk-averse-people-everywhere", None),
    ],
)
def test_redact(text: FastStringProcessor, given: str, expected: str | None) -> None:
    assert text.redact(given) == (given if expected is None else expected)


def test_kinds_are_chosen(text: FastStringProcessor) -> None:
    given = "a@b.de 10.0.0.1 +49 30 1234567"
    assert text.redact(given, kinds=["ipv4"]) == "a@b.de [IPV4] +49 30 1234567"
    assert text.redact(given, kinds=("phone", "email")) == "[EMAIL] 10.0.0.1 [PHONE]"
    assert text.redact(given, kinds=[]) == given


def test_the_earlier_kind_keeps_shared_text(text: FastStringProcessor) -> None:
    given = "sk-abcdefghijklmnopq@example.org"
    assert text.redact(given) == "[TOKEN]@example.org"
    assert text.redact(given, kinds=["email"]) == "[EMAIL]"


def test_redacting_hostile_text_takes_no_longer_than_its_length(text: FastStringProcessor) -> None:
    hostile = [
        piece * (60_000 // len(piece))
        for piece in ("eyJ-", "a.", "1 ", "4", "::", "1:", "AA11 ", "+1", "0123", "a@a.", "sk-")
    ]
    for one in hostile:
        text.redact(one)  # quadratic work would run into the test's time limit


def test_find(text: FastStringProcessor) -> None:
    finder = text.finder(["ab", "abc", "bc", "\u00fc", "abc"])
    assert finder.find("abcbc \u00fc\U0001f600ab") == [(1, 0, 3), (2, 3, 5), (3, 6, 7), (0, 8, 10)]
    assert finder.find_many(iter(["", "xab"])) == [[], [(0, 1, 3)]]
    found = text.find("abc", ["c", "bc", "abc", "bc"], kind="overlapping")
    assert found == [(2, 0, 3), (1, 1, 3), (3, 1, 3), (0, 2, 3)]
    assert text.find("aaa", ["aa"], kind="overlapping") == [(0, 0, 2), (0, 1, 3)]
    assert text.find_many(["abc"], []) == [[]]


def test_find_ignores_ascii_case_alone(text: FastStringProcessor) -> None:
    given = "STRASSE stra\u00dfe \u00dcber \u212a k"
    found = text.find(given, ["Strasse", "\u00fcber", "K", "k"], ignore_case=True)
    assert found == [(0, 0, 7), (2, 22, 23)]


def test_surrogates_are_characters(text: FastStringProcessor) -> None:
    assert text.find("a\ud800b\udc00", ["\ud800", "b\udc00"]) == [(0, 1, 2), (1, 2, 4)]
    # Two halves are two characters, not the one they would be in UTF-16.
    assert text.find("\U00010000", ["\ud800"]) == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.normalize_many("one"), TypeError, "texts must be an iterable of str, got str"),
        (lambda t: t.normalize_many(5), TypeError, "texts must be an iterable of str, got int"),
        (lambda t: t.normalize_many(["a", 5]), TypeError, "texts[1] must be str, got int"),
        (lambda t: t.normalize(None), TypeError, "texts[0] must be str, got NoneType"),
        (lambda t: t.redact_many(["a", b"b"]), TypeError, "texts[1] must be str, got bytes"),
        (
            lambda t: t.normalize("a", form="NFX"),
            ValueError,
            "form must be one of 'NFC', 'NFD', 'NFKC', 'NFKD', None, got 'NFX'",
        ),
        (
            lambda t: t.normalize("a", case="title"),
            ValueError,
            "case must be one of 'lower', 'upper', 'fold', None, got 'title'",
        ),
        (
            lambda t: t.redact("a", kinds=["mail"]),
            ValueError,
            "unknown kind 'mail'; known are token, email, iban, card, ipv6, ipv4, phone",
        ),
        (
            lambda t: t.redact("a", kinds="email"),
            TypeError,
            "kinds must be an iterable of str, got str",
        ),
        (lambda t: t.find("a", ["a", ""]), ValueError, "patterns[1] is empty"),
        (lambda t: t.find("a", ["a", 1]), TypeError, "patterns[1] must be str, got int"),
        (lambda t: t.find("a", "ab"), TypeError, "patterns must be an iterable of str, got str"),
        (
            lambda t: t.find("a", ["a"], kind="all"),
            ValueError,
            "kind must be one of 'leftmost', 'overlapping', got 'all'",
        ),
        (
            lambda t: t.find("a", ["a"] * (PATTERNS_LIMIT + 1)),
            ValueError,
            "too many patterns: at most 100000 patterns, got 100001",
        ),
        (
            lambda t: t.find("a", ["\u20ac" * 3_000_000]),
            ValueError,
            "too many patterns: at most 8388608 bytes, got 9000000",
        ),
        (lambda t: t.finder(["a"]).find(5), TypeError, "texts[0] must be str, got int"),
    ],
)
def test_bad_arguments(
    text: FastStringProcessor, call: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        call(text)
    assert str(caught.value) == message


def test_threads_share_a_processor(text: FastStringProcessor) -> None:
    finder = text.finder(["needle", "hay"])
    given = ["some HAY  and a needle in it " * 50] * 40
    expected = (text.normalize_many(given), finder.find_many(given), text.redact_many(given))
    wrong: list[object] = []

    def work() -> None:
        for _ in range(5):
            answer = (text.normalize_many(given), finder.find_many(given), text.redact_many(given))
            if answer != expected:
                wrong.append(answer)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_arguments_are_not_kept(text: FastStringProcessor) -> None:
    given = ["x\u00fc" * 5000]
    before = sys.getrefcount(given[0])
    text.normalize_many(given)
    text.redact_many(given)
    text.find_many(given, ["x"])
    after = sys.getrefcount(given[0])  # outside of the assertion, which keeps what it compares
    assert after == before


def test_hot_calls_have_no_frame_of_ours(text: FastStringProcessor) -> None:
    if text.implementation == "native":
        finder, plan = text.finder(["a"]), text.plan(["normalize"])
        for hot in (text.normalize_many, text.redact_many, finder.find_many, plan.run):
            assert isinstance(hot, BuiltinMethodType)


def test_arguments_may_be_any_iterable_and_named(text: FastStringProcessor) -> None:
    assert text.normalize_many(texts=(one for one in (" A", "b "))) == ["a", "b"]
    assert text.redact_many(texts={"a@b.de": 1}, kinds=iter([KINDS[1]])) == ["[EMAIL]"]
    assert text.finder(["a"]).find_many(texts=("a",)) == [[(0, 0, 1)]]
    assert text.plan(["normalize"]).run(texts=("A",)) == ["a"]
    assert text.normalize("a  B", whitespace=0, case=None) == "a  B"
    assert text.normalize("stra\u00dfe x", case="upper") == "STRASSE X"


def test_large_batches_in_parts(text: FastStringProcessor) -> None:
    given = [("Mixed  Case " * 500) + str(n) for n in range(200)] + ["\u00dc  b" * 400_000, ""]
    expected = [" ".join(one.lower().split()) for one in given]
    assert text.normalize_many(given) == expected
    assert text.normalize_many(expected)[0] is expected[0]
    assert text.redact_many([f"{one} a@b.de" for one in given]) == [
        f"{one} [EMAIL]" for one in given
    ]
