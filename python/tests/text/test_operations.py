"""The newer operations over both implementations: cut, compare, hash, express, plan."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from agentcore.integration import RustIntegrationManager
from agentcore.text import FastStringProcessor, Hits

COMPONENT = "agent_core_utils"
KEY = b"0123456789abcdef"


@pytest.fixture
def text(manager: RustIntegrationManager) -> FastStringProcessor:
    return FastStringProcessor(manager=manager)


def test_tokens(text: FastStringProcessor) -> None:
    given = ["It's 5\u20ac,\u3000Gr\u00fc\u00dfe!", "", "\ud800 x_1"]
    assert text.tokenize_many(given) == [
        ["It", "s", "5", "Gr\u00fc\u00dfe"],
        [],
        ["\ud800", "x_1"],
    ]
    assert text.tokenize_many(given[:1], kind="token") == [
        ["It", "'", "s", "5", "\u20ac", ",", "Gr\u00fc\u00dfe", "!"]
    ]
    assert text.tokenize_many(given[:1], kind="space") == [["It's", "5\u20ac,", "Gr\u00fc\u00dfe!"]]


def test_ngrams(text: FastStringProcessor) -> None:
    assert text.ngrams_many(["a b, c", "a"], 2) == [["a b", "b c"], []]
    assert text.ngrams_many(["a\u00fc\U0001f600", ""], 2, unit="char") == [
        ["a\u00fc", "\u00fc\U0001f600"],
        [],
    ]
    assert text.ngrams_many(["ab"], 1, unit="char") == [["a", "b"]]


def test_sentences(text: FastStringProcessor) -> None:
    given = 'One 1.5. "Two!"  Three?! four\n \nfive \u4f60\u597d\u3002\u516d'
    assert text.sentences_many([given, " ", "..."]) == [
        ["One 1.5.", '"Two!"', "Three?!", "four", "five \u4f60\u597d\u3002", "\u516d"],
        [],
        ["..."],
    ]


def test_chunks(text: FastStringProcessor) -> None:
    given = ["A b. C. D e f g h i. J.", ""]
    assert text.chunk_many(given, budget=5, overlap=2) == [
        ["A b. C.", "D e f g h", "i. J."],
        [],
    ]
    assert text.chunk_many(["A. B. C. D."], budget=4, overlap=2) == [["A. B.", "B. C.", "C. D."]]
    assert text.chunk_many(["a b c, d"], budget=3, overlap=1, by="token") == [["a b c", "c, d"]]


def test_a_chunk_of_all_is_the_same_object(text: FastStringProcessor) -> None:
    given = "one sentence of \u00fcber words"
    assert text.chunk_many([given])[0][0] is given
    assert text.sentences_many([given])[0][0] is given


def test_hashes(text: FastStringProcessor) -> None:
    given = ["abc", "\u00fc", "", "x" * 300, "\ud800"]
    data = [one.encode("utf-8", "surrogatepass") for one in given]
    assert text.hash_many(given) == [hashlib.blake2b(b, digest_size=32).hexdigest() for b in data]
    assert text.hash_many(given, algorithm="sha256") == [
        hashlib.sha256(b).hexdigest() for b in data
    ]
    assert text.hash_many(given, algorithm="blake2b-8") == [
        hashlib.blake2b(b, digest_size=8).hexdigest() for b in data
    ]
    fast = text.hash_many(["abc", "abc\0", "12345678", ""], algorithm="fast64")
    assert fast[0] == "0a49c0349b558c63"
    assert len(set(fast)) == 4


def test_similarity(text: FastStringProcessor) -> None:
    assert text.similarity_many("kitten", ["sitting", "kitten", ""]) == [1 - 3 / 7, 1.0, 0.0]
    found = text.similarity_many("DIXON", ["DICKSONX", "", "zzz"], metric="jaro_winkler")
    assert found == [pytest.approx(0.8133333), 0.0, 0.0]
    found = text.similarity_many("new york mets", ["mets New york", "york"], metric="token_set")
    assert found == [pytest.approx(0.9230769), 1.0]
    assert text.similarity_many("a", []) == []


@pytest.mark.parametrize("metric", ["levenshtein", "jaro_winkler", "token_set"])
def test_a_matrix_is_its_rows(text: FastStringProcessor, metric: Any) -> None:
    queries = ["", "a", "kitten and mittens " * 5, "gr\u00fc\u00dfe", "x" * 70]
    choices = ["", "b", "sitting", "mittens and kittens " * 4, "x" * 64, "x" * 129, "gr\u00fcsse"]
    matrix = text.similarity_matrix(queries, choices, metric=metric)
    assert (matrix.shape, matrix.format) == ((5, 7), "f")
    rows = [text.similarity_many(query, choices, metric=metric) for query in queries]
    values: Any = matrix.tolist()
    assert values == [[pytest.approx(one, abs=1e-6) for one in row] for row in rows]
    assert text.similarity_matrix(queries, choices, metric=metric, workers=3) == matrix
    assert text.similarity_matrix([], choices).tolist() == []


def test_near_duplicates(text: FastStringProcessor) -> None:
    words = [f"word{n}" for n in range(60)]
    near = [*words[:30], "other", *words[31:]]
    given = [" ".join(words), "nothing alike at all", ", ".join(near), "", "", " ".join(words)]
    pairs = text.near_duplicates(given, threshold=0.7)
    assert [(left, right) for left, right, _ in pairs] == [(0, 2), (0, 5), (2, 5)]
    assert pairs[1][2] == 1.0
    assert 0.7 <= pairs[0][2] < 1.0
    signatures = text.minhash_many(given)
    assert signatures.shape == (6, 128)
    values: Any = signatures.tolist()
    assert set(values[3]) == {2**32 - 1}
    with pytest.raises(ValueError, match="more than 2 pairs of near-duplicates"):
        text.near_duplicates(given, threshold=0.7, limit=2)
    assert text.minhash_many([]).tolist() == []


def test_expressions(text: FastStringProcessor) -> None:
    found = text.expression(r"(?P<key>\w+)=(?:(\d+)|x)")
    given = ["a=1 \u00fcb=x", "none", "\ud800c=22"]
    assert found.extract_many(given) == [["a=1", "b=x"], [], ["c=22"]]
    assert found.extract_many(given, group=2) == [["1", None], [], ["22"]]
    assert found.extract_many(given, group="key") == [["a", "b"], [], ["c"]]
    assert found.replace_many(given, r"\2<\g<key>\\\g<0>>") == [
        "1<a\\a=1> \u00fc<b\\b=x>",
        "none",
        "\ud80022<c\\c=22>",
    ]
    assert text.replace_many(["AbC"], "[a-b]", "\u00fc", ignore_case=True) == ["\u00fc\u00fcC"]
    assert text.extract_many(["ab\n\u20ac\ud800"], ".[^a]") == [["ab", "\u20ac\ud800"]]
    assert text.extract_many(["one two"], r"^\w+|\w+$") == [["one", "two"]]
    same = ["unchanged \u00fc", "aa"]
    for changed in (text.replace_many(same, "x", "y"), text.replace_many(same, "a", "a")):
        assert all(out is put for out, put in zip(changed, same, strict=True))


def test_pseudonyms_can_be_undone(text: FastStringProcessor) -> None:
    given = ["\u00e9 a@b.de and 10.0.0.1", "a@b.de", "nothing", "[EMAIL:" + "0" * 24 + "]\ud800"]
    changed, mapping = text.pseudonymize_many(given, KEY)
    assert sorted(mapping.values()) == ["10.0.0.1", "a@b.de"]
    assert changed[1] in changed[0]
    assert changed[2] is given[2]
    assert all("@" not in one for one in changed)
    restored = text.restore_many(changed, mapping)
    assert restored == given
    assert restored[3] is changed[3]
    other, _ = text.pseudonymize_many(given, KEY[::-1])
    assert other[1] != changed[1]
    assert text.pseudonymize_many(given, KEY, kinds=["ipv4"])[1] == {
        token: piece for token, piece in mapping.items() if piece == "10.0.0.1"
    }


def test_all_matches_in_one_buffer(text: FastStringProcessor) -> None:
    given = ["\u00fcab", "", "abab", "b\ud800"]
    hits = text.find_all(given, ["ab", "\u00fc", "\ud800"])
    expected = [(0, 1, 0, 1), (0, 0, 1, 3), (2, 0, 0, 2), (2, 0, 2, 4), (3, 2, 1, 2)]
    assert list(hits) == expected
    assert len(hits) == 5
    assert (hits[0], hits[-1]) == (expected[0], expected[-1])
    view = hits.view()
    assert (view.shape, view.format) == ((5, 4), "I")
    values: Any = view.tolist()
    assert values == [list(hit) for hit in expected]
    assert hits == Hits(hits.raw)
    assert hash(hits) == hash(Hits(hits.raw))
    assert repr(hits) == "<Hits: 5 matches>"
    with pytest.raises(IndexError, match="there are 5 matches, got index 5"):
        hits[5]
    nothing = text.find_all(["x"], ["a"])
    assert (len(nothing), nothing.view().tolist(), list(nothing)) == (0, [], [])


def test_a_plan_is_its_steps(text: FastStringProcessor) -> None:
    given = ["  Mail A@B.DE NOW ", "already fine", "\u00dcber  10.0.0.1 X9", "\ud800 X1", "x1"]
    steps: list[Any] = [
        ("normalize", {"case": "lower"}),
        "redact",
        ("replace", {"pattern": r"x([0-9])", "replacement": r"\1\1"}),
    ]
    plan = text.plan(steps)
    done = plan.run(given)
    assert done == [
        "mail [EMAIL] now",
        "already fine",
        "\u00fcber [IPV4] 99",
        "\ud800 11",
        "11",
    ]
    assert done[1] is given[1]
    assert plan.steps == ("normalize", "redact", "replace")
    hashed = text.plan([*steps, ("hash", {"algorithm": "sha256"})]).run(given)
    assert hashed == text.hash_many(done, algorithm="sha256")
    chunked = text.plan([*steps, ("chunk", {"budget": 1, "by": "token"})]).run(given)
    assert chunked == text.chunk_many(done, budget=1, by="token")
    assert text.plan([*steps, ("ngrams", {"n": 2})]).run(given) == text.ngrams_many(done, 2)
    assert text.plan([*steps, "sentences"]).run(given) == text.sentences_many(done)
    assert text.plan([*steps, "tokenize"]).run(given) == text.tokenize_many(done)
    extract = ("extract", {"pattern": "([a-z])[a-z]", "group": 1})
    assert text.plan([*steps, extract]).run(given) == text.extract_many(
        done, "([a-z])[a-z]", group=1
    )


def test_a_plan_that_undoes_itself_gives_the_same_object(text: FastStringProcessor) -> None:
    steps: list[Any] = [
        ("replace", {"pattern": "a", "replacement": "\u00e9"}),
        ("normalize", {"case": None}),
        ("replace", {"pattern": "\u00e9", "replacement": "a"}),
    ]
    given = ["a b", "\u00fca"]
    done = text.plan(steps).run(given)
    assert all(out is put for out, put in zip(done, given, strict=True))


BAD: list[tuple[Any, type[Exception], str]] = [
    (lambda t: t.tokenize_many("a"), TypeError, "texts must be an iterable of str, got str"),
    (lambda t: t.tokenize_many(["a", 1]), TypeError, "texts[1] must be str, got int"),
    (
        lambda t: t.tokenize_many(["a"], kind="line"),
        ValueError,
        "kind must be one of 'word', 'token', 'space', got 'line'",
    ),
    (
        lambda t: t.ngrams_many(["a"], 0),
        ValueError,
        "n must be an integer from 1 to 64, got 0",
    ),
    (
        lambda t: t.ngrams_many(["a"], True),
        TypeError,
        "n must be an integer from 1 to 64, got True",
    ),
    (
        lambda t: t.chunk_many(["a"], budget=4, overlap=4),
        ValueError,
        "overlap must be an integer from 0 to 3, got 4",
    ),
    (
        lambda t: t.hash_many(["a"], algorithm="md5"),
        ValueError,
        "algorithm must be one of 'blake2b', 'blake2b-8', 'sha256', 'fast64', got 'md5'",
    ),
    (lambda t: t.similarity_many(1, ["a"]), TypeError, "query must be str, got int"),
    (lambda t: t.similarity_many("a", ["a", 2]), TypeError, "choices[1] must be str, got int"),
    (lambda t: t.similarity_matrix([3], ["a"]), TypeError, "queries[0] must be str, got int"),
    (
        lambda t: t.near_duplicates(["a"], threshold=0),
        ValueError,
        "threshold must be above 0 and at most 1, got 0",
    ),
    (
        lambda t: t.minhash_many(["a"], permutations=0),
        ValueError,
        "permutations must be an integer from 1 to 4096, got 0",
    ),
    (lambda t: t.pseudonymize_many(["a"], "key"), TypeError, "key must be bytes, got str"),
    (
        lambda t: t.pseudonymize_many(["a"], b"key"),
        ValueError,
        "key must have at least 16 bytes, got 3",
    ),
    (
        lambda t: t.restore_many(["a"], {"a": 1}),
        TypeError,
        "mapping must be of str to str, got 'a': 1",
    ),
    (lambda t: t.extract_many([1], "a"), TypeError, "texts[0] must be str, got int"),
    (
        lambda t: t.extract_many(["a"], "a", group=1),
        ValueError,
        "group must be an integer from 0 to 0, got 1",
    ),
    (
        lambda t: t.extract_many(["a"], "(?P<x>a)", group="y"),
        ValueError,
        "there is no group 'y'; named are 'x'",
    ),
    (
        lambda t: t.replace_many(["a"], "a", r"\1"),
        ValueError,
        "replacement '\\\\1': there is no group '1'",
    ),
    (
        lambda t: t.replace_many(["a"], "a", r"\n"),
        ValueError,
        "replacement '\\\\n', position 0: only \\1 to \\99, \\g<...> and \\\\ are supported",
    ),
    (lambda t: t.plan([]), ValueError, "a plan has from 1 to 64 steps, got 0"),
    (lambda t: t.plan("redact"), TypeError, "steps must be an iterable of steps, got str"),
    (
        lambda t: t.plan([("redact",)]),
        TypeError,
        "steps[0] must be a name or (name, {option: value}), got ('redact',)",
    ),
    (
        lambda t: t.plan(["redact", "polish"]),
        ValueError,
        (
            "steps[1]: unknown step 'polish'; known are normalize, redact, replace, tokenize, "
            "ngrams, sentences, chunk, hash, extract"
        ),
    ),
    (
        lambda t: t.plan(["hash", "redact"]),
        ValueError,
        "steps[0]: 'hash' can only be the last step",
    ),
    (
        lambda t: t.plan([("redact", {"kind": "email"})]),
        ValueError,
        "steps[0]: unknown option 'kind' of 'redact'; known are kinds",
    ),
    (
        lambda t: t.plan([("replace", {"pattern": "a"})]),
        ValueError,
        "steps[0]: 'replace' needs the option 'replacement'",
    ),
    (
        lambda t: t.plan([("normalize", {"form": "X"})]),
        ValueError,
        "steps[0]: form must be one of 'NFC', 'NFD', 'NFKC', 'NFKD', None, got 'X'",
    ),
    (lambda t: t.plan(["redact"]).run("a"), TypeError, "texts must be an iterable of str, got str"),
    (lambda t: t.plan(["redact"]).run(["a", None]), TypeError,
     "texts[1] must be str, got NoneType"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_arguments(
    text: FastStringProcessor, call: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        call(text)
    assert str(caught.value) == message
