"""What the text operations of ``agent_core_utils`` must answer."""

from __future__ import annotations

from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]


def _normalize(ns: Any) -> object:
    texts = ["  Mixed\tCASE \x1cText ", "Stra\u00dfe\u00a0\u0130", "as it is", "\x07bell \ud800"]
    text = ns.Text()
    return (
        text.normalize_many(texts, form="NFKC", case="fold", controls=True),
        text.normalize_many(["  aB\n c " * 20], case="upper"),
        text.normalize_many(["x  Y"], case=None, whitespace=False),
    )


def _find(ns: Any) -> object:
    texts = ["a\u00fcabcb", "", "\U0001f600bc"]
    patterns = ["bc", "abc", "\u00fc"]
    leftmost = ns.Matcher(patterns, "leftmost", False)
    return (
        leftmost.find_many(texts),
        ns.Matcher(patterns, "overlapping", False).find_many(texts),
        memoryview(leftmost.find_packed(texts)).cast("I").tolist(),
    )


def _redact(ns: Any) -> object:
    texts = [
        "jane@example.org from 10.0.0.1 or fe80::1",
        "DE89 3704 0044 0532 0130 00, 4111-1111-1111-1111",
        "call +49 30 1234567, key sk-abcdefghijklmnop1234",
        "std::vector, 1.2.3, 4111 1111 1111 1112",
    ]
    return ns.Text().redact_many(texts)


def _pseudonyms(ns: Any) -> object:
    text = ns.Text()
    given = ["\u00e9 a@b.de", "none"]
    changed, mapping = text.pseudonymize_many(given, b"k" * 16, ["email"])
    return changed, text.restore_many(changed, mapping) == given


def _cut(ns: Any) -> object:
    text = ns.Text()
    given = ["It's 5\u20ac. Gr\u00fc\u00dfe!  Ja\u3002nein"]
    return (
        text.tokenize_many(given, "token"),
        text.ngrams_many(given, 3, "word"),
        text.sentences_many(given),
        text.chunk_many(given, 6, 2, "sentence"),
    )


def _compare(ns: Any) -> object:
    text = ns.Text()
    choices = ["sitting", "kitten", "\u00e9"]
    return (
        [round(one, 9) for one in text.similarity_many("kitten", choices, "levenshtein")],
        [round(one, 9) for one in text.similarity_many("MARTHA", ["MARHTA"], "jaro_winkler")],
        text.similarity_matrix(["a b"], ["b a", "c"], "token_set", 1).tolist(),
    )


def _hash(ns: Any) -> object:
    text = ns.Text()
    copies = ["one two three four five six", "other words", "one two three four five six"]
    return (
        [text.hash_many(["abc"], name)[0] for name in ("sha256", "blake2b-8", "fast64")],
        text.near_duplicates(copies, 0.9, 64, 2, 1, 9),
        text.minhash_many(["a b c", ""], 2, 2, 7).tolist(),
    )


def _express(ns: Any) -> object:
    found = ns.Expression("([a-z]{1,9})=([0-9]{1,9})")
    return (
        found.extract_many(["a=1 \u00fcb=22", ""], 2),
        found.replace_parts(["a=1 \u00fcb=22"], (2, "\u00fc", 1)),
    )


def _plan(ns: Any) -> object:
    steps = (
        ("normalize", None, "lower", True, False),
        ("redact", ["email"]),
        ("replace", "x", ("<", 0, ">"), "x"),
        ("tokenize", "space"),
    )
    return ns.Plan(steps).run([" A@B.DE  x", "\u00dc X"])


VECTORS: tuple[Vector, ...] = (
    Vector(
        "normalize",
        _normalize,
        (
            ["mixed case text", "strasse i\u0307", "as it is", "bell \ud800"],
            [("AB C " * 20).rstrip()],
            ["x  Y"],
        ),
    ),
    Vector(
        "find",
        _find,
        (
            [[(2, 1, 2), (1, 2, 5)], [], [(0, 1, 3)]],
            [[(2, 1, 2), (1, 2, 5), (0, 3, 5)], [], [(0, 1, 3)]],
            [0, 2, 1, 2, 0, 1, 2, 5, 2, 0, 1, 3],
        ),
    ),
    Vector(
        "redact",
        _redact,
        [
            "[EMAIL] from [IPV4] or [IPV6]",
            "[IBAN], [CARD]",
            "call [PHONE], key [TOKEN]",
            "std::vector, 1.2.3, 4111 1111 1111 1112",
        ],
    ),
    Vector(
        "pseudonyms",
        _pseudonyms,
        (["\u00e9 [EMAIL:88ee62f5bd19f081181744e0]", "none"], True),
    ),
    Vector(
        "cut",
        _cut,
        (
            [["It", "'", "s", "5", "\u20ac", ".", "Gr\u00fc\u00dfe", "!", "Ja", "\u3002", "nein"]],
            [["It s 5", "s 5 Gr\u00fc\u00dfe", "5 Gr\u00fc\u00dfe Ja", "Gr\u00fc\u00dfe Ja nein"]],
            [["It's 5\u20ac.", "Gr\u00fc\u00dfe!", "Ja\u3002", "nein"]],
            [["It's 5\u20ac.", "Gr\u00fc\u00dfe!  Ja\u3002nein"]],
        ),
    ),
    Vector("compare", _compare, ([0.571428571, 1.0, 0.0], [0.961111111], [[1.0, 0.0]])),
    Vector(
        "hash",
        _hash,
        (
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "d8bb14d833d59559",
                "0a49c0349b558c63",
            ],
            [(0, 2, 1.0)],
            [[258225346, 926582911], [4294967295, 4294967295]],
        ),
    ),
    Vector("expression", _express, ([["1", "22"], []], ["1\u00fca \u00fc22\u00fcb"])),
    Vector("plan", _plan, [["[EMAIL]", "<x>"], ["\u00fc", "<x>"]]),
)
