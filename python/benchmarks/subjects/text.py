"""FastStringProcessor beside plain Python and the best libraries, on texts of a fixed seed.

Every contender takes a ``list[str]`` and gives lists or a buffer of the same content; peers
that keep columns are asked for lists only where ours gives lists.
"""

from __future__ import annotations

import hashlib
import platform
import random
import re
from collections.abc import Callable, Iterator
from itertools import islice

from agentcore.text import FastStringProcessor, Kind
from agentcore.text.contract import LABELS
from benchmarks.harness import Bar, Case, Contender, Subject, installed, per_operation
from benchmarks.native import OURS_VERSION, native_manager, twin_manager

PEERS = {
    name: installed(name) for name in ("ahocorasick_rs", "polars", "pyarrow", "rensa", "rapidfuzz")
}
PYTHON = platform.python_version()
COUNT = 1000

_SENSITIVE = (
    "jane.doe@example.org", "10.20.30.40", "+49 30 1234567", "sk-abcdefghijklmnop1234",
)  # fmt: skip
_FOREIGN = ("Gr\u00fc\u00dfe", "na\u00efve", "\u4f60\u597d", "\u041f\u0440\u0438\u0432\u0435\u0442")


def _words(random_: random.Random, count: int) -> list[str]:
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    weights = range(len(letters), 0, -1)
    return [
        "".join(random_.choices(letters, weights, k=random_.randint(2, 9))) for _ in range(count)
    ]


def _texts(size: int, *, messy: bool, foreign: bool = False, sensitive: bool = False) -> list[str]:
    """Return a thousand texts of about ``size`` characters."""
    random_ = random.Random(20261123)  # noqa: S311 - a seed, not a secret
    words = _words(random_, 4000)
    gaps = [" "] * 6 + ["  ", "\t", "\n", " \t "] if messy else [" "]
    texts = []
    for _ in range(COUNT):
        text = ""
        while len(text) < size:
            word = random_.choice(words)
            if foreign and random_.random() < 0.1:
                word = random_.choice(_FOREIGN)
            elif sensitive and random_.random() < 0.03:
                word = random_.choice(_SENSITIVE)
            elif random_.random() < 0.3:
                word = word.title()
            text += word + random_.choice(gaps)
        texts.append(text[:size].strip())
    return texts


def _case(
    name: str,
    size: int,
    bar: Bar | None,
    ours: Callable[[], object],
    peers: dict[str, Callable[[], object]],
    count: int = COUNT,
) -> Case:
    """Make a case of the peers that are there; times are for one of ``count``."""
    versions = PEERS | {"python twin": OURS_VERSION}
    repeat = 5 if size <= 200 else 1

    def timed(work: Callable[[], object]) -> Callable[[], float]:
        return lambda: per_operation(work, count, repeat) / 1000

    return Case(
        name,
        "us/text",
        "lower",
        Contender("agentcore", OURS_VERSION, timed(ours)),
        [
            Contender(peer, versions.get(peer, PYTHON), timed(work))
            for peer, work in peers.items()
            if versions.get(peer, PYTHON)
        ],
        bar,
    )


def _plain_normalize(texts: list[str]) -> list[str]:
    return [" ".join(text.lower().split()) for text in texts]


_PLAIN_REDACT = re.compile(
    r"(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)|(?P<token>\bsk-[A-Za-z0-9_-]{16,})"
    r"|(?P<ipv4>\b(?:\d{1,3}\.){3}\d{1,3}\b)|(?P<phone>\+\d(?:[ ().-]{0,2}\d){6,14}\b)",
    re.ASCII,
)


def _plain_redact(texts: list[str]) -> list[str]:
    """Do what a careful hand writes in an hour: four of the kinds, no checksums."""
    return [_PLAIN_REDACT.sub(lambda found: LABELS[found.lastgroup or ""], text) for text in texts]


def _arrow_redact(texts: list[str]) -> list[str]:
    import pyarrow
    import pyarrow.compute

    column = pyarrow.array(texts)
    for label, pattern in _RULES:
        column = pyarrow.compute.replace_substring_regex(column, pattern, label)
    redacted: list[str] = column.to_pylist()
    return redacted


def _polars_redact(texts: list[str]) -> list[str]:
    import polars

    column = polars.Series(texts)
    for label, pattern in _RULES:
        column = column.str.replace_all(pattern, label)
    return column.to_list()


# The same four kinds for the peers, in what RE2 and Rust's regex understand.
_RULES = (
    ("[EMAIL]", r"\b[A-Za-z0-9_.+-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\b"),
    ("[TOKEN]", r"\bsk-[A-Za-z0-9_-]{16,}"),
    ("[IPV4]", r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b"),
    ("[PHONE]", r"\+[0-9](?:[ ().-]{0,2}[0-9]){6,14}\b"),
)
_OURS: tuple[Kind, ...] = ("token", "email", "ipv4", "phone")


def _normalize_cases(ours: FastStringProcessor, twin: FastStringProcessor) -> Iterator[Case]:
    def made(label: str, texts: list[str], size: int, bar: Bar | None) -> Case:
        return _case(
            f"normalize 1000 x {label}",
            size,
            bar,
            lambda: ours.normalize_many(texts),
            {
                "plain Python": lambda: _plain_normalize(texts),
                "python twin": lambda: twin.normalize_many(texts),
            },
        )

    plain = "plain Python"
    for label, size, messy, single in (
        ("100 B", 100, Bar(plain, 4.0, 6.0), Bar(plain, 6.0, 9.0)),
        ("2 kB", 2000, Bar(plain, 5.0, 7.5), Bar(plain, 12.0, 25.0)),
    ):
        yield made(f"{label}, messy", _texts(size, messy=True), size, messy)
        yield made(f"{label}, single-spaced", _texts(size, messy=False), size, single)
        normal = _plain_normalize(_texts(size, messy=False))
        yield made(f"{label}, already normal", normal, size, None)
        foreign = _texts(size, messy=True, foreign=True)
        yield made(f"{label}, 10 % words beyond ASCII", foreign, size, None)


def _find_cases(ours: FastStringProcessor) -> Iterator[Case]:
    random_ = random.Random(7)  # noqa: S311 - a seed, not a secret
    patterns = list(islice(dict.fromkeys(_words(random_, 400)), 100))
    finder = ours.finder(patterns)

    def aho() -> Callable[[list[str]], object]:
        import ahocorasick_rs

        leftmost = ahocorasick_rs.MatchKind.LeftmostLongest
        matcher = ahocorasick_rs.AhoCorasick(patterns, matchkind=leftmost)
        return lambda texts: [matcher.find_matches_as_indexes(text) for text in texts]

    def by_polars(texts: list[str]) -> object:
        import polars

        return polars.Series(texts).str.find_many(patterns, leftmost=True)

    by_aho = aho() if PEERS["ahocorasick_rs"] else by_polars
    for label, size, against_aho, against_polars in (
        ("100 B", 100, Bar("ahocorasick_rs", 2.5, 4.0), Bar("polars", 2.0, 3.4)),
        ("2 kB", 2000, Bar("ahocorasick_rs", 1.3, 2.5), Bar("polars", 1.0, 1.6)),
    ):
        texts = _texts(size, messy=False, sensitive=True)
        for bar, peer in ((against_aho, by_aho), (against_polars, by_polars)):
            yield _case(
                f"100 patterns with positions, 1000 x {label}, one buffer ({bar.against})",
                size,
                bar,
                lambda texts=texts: finder.find_all(texts),  # type: ignore[misc]
                {bar.against: lambda texts=texts, peer=peer: peer(texts)},  # type: ignore[misc]
            )
        yield _case(
            f"100 patterns with positions, 1000 x {label}, lists of tuples",
            size,
            None,
            lambda texts=texts: finder.find_many(texts),  # type: ignore[misc]
            {"ahocorasick_rs": lambda texts=texts: by_aho(texts)},  # type: ignore[misc]
        )


def _redact_cases(ours: FastStringProcessor) -> Iterator[Case]:
    def made(label: str, texts: list[str], size: int, bar: Bar, *names: str) -> Case:
        all_: dict[str, Callable[[], object]] = {
            "pyarrow": lambda: _arrow_redact(texts),
            "polars": lambda: _polars_redact(texts),
            "plain Python": lambda: _plain_redact(texts),
        }
        return _case(
            f"redact 1000 x {label} ({bar.against})",
            size,
            bar,
            lambda: ours.redact_many(texts, kinds=_OURS),
            {name: all_[name] for name in names},
        )

    for label, size, arrow, polars, foreign_bar in (
        ("100 B", 100, Bar("pyarrow", 4, 11), Bar("polars", 3.5, 9), Bar("polars", 3, 5)),
        ("2 kB", 2000, Bar("pyarrow", 4, 7), Bar("polars", 2.2, 3.5), Bar("polars", 1.3, 1.7)),
    ):
        texts = _texts(size, messy=False, sensitive=True)
        yield made(label, texts, size, arrow, "pyarrow", "plain Python")
        yield made(label, texts, size, polars, "polars")
        foreign = _texts(size, messy=False, foreign=True, sensitive=True)
        beyond = f"{label}, 10 % words beyond ASCII"
        # Against the better of the two: polars, with ASCII classes in its pattern
        yield made(beyond, foreign, size, foreign_bar, "pyarrow", "polars")
        yield _case(
            f"redact 1000 x {label}, all seven kinds",
            size,
            None,
            lambda texts=texts: ours.redact_many(texts),  # type: ignore[misc]
            {"plain Python": lambda texts=texts: _plain_redact(texts)},  # type: ignore[misc]
        )


def _resemblance_cases(ours: FastStringProcessor) -> Iterator[Case]:
    texts = _texts(2000, messy=False)

    def by_rensa() -> object:
        from rensa import RMinHash

        return RMinHash.digest_matrix_from_token_sets(
            [text.split() for text in texts], num_perm=128, seed=1
        )

    yield _case(
        "MinHash of 128 values, 1000 x 2 kB, words",
        2000,
        Bar("rensa", 1.0, 1.3),
        lambda: ours.minhash_many(texts, shingle=1),
        {"rensa": by_rensa},
    )
    for label, length in (("names of 8 to 30", 30), ("sentences of about 100", 100)):
        random_ = random.Random(11)  # noqa: S311 - a seed, not a secret
        words = _words(random_, 3000)
        pool = [
            " ".join(random_.choices(words, k=20))[
                : random_.randint(8, 30) if length == 30 else 100
            ]
            for _ in range(2000)
        ]
        queries, choices = pool[:1000], pool[1000:]

        def by_rapidfuzz(queries: list[str] = queries, choices: list[str] = choices) -> object:
            from rapidfuzz.distance import Levenshtein
            from rapidfuzz.process import cdist

            return cdist(queries, choices, scorer=Levenshtein.normalized_similarity, workers=1)

        yield _case(
            f"Levenshtein matrix 1000 x 1000, {label} characters",
            2000,
            Bar("rapidfuzz", 1.0, 1.2),
            lambda queries=queries, choices=choices: ours.similarity_matrix(  # type: ignore[misc]
                queries, choices
            ),
            {"rapidfuzz": by_rapidfuzz},
        )


def _plan_cases(ours: FastStringProcessor) -> Iterator[Case]:
    number = r"\b[a-z]{2}[0-9]{2,}\b"
    plan = ours.plan(
        [
            "normalize",
            ("redact", {"kinds": _OURS}),
            ("replace", {"pattern": number, "replacement": "#"}),
            ("hash", {"algorithm": "blake2b"}),
        ]
    )

    def by_peers(texts: list[str]) -> object:
        import pyarrow
        import pyarrow.compute

        redacted = pyarrow.array(_arrow_redact(_plain_normalize(texts)))
        replaced = pyarrow.compute.replace_substring_regex(redacted, number, "#").to_pylist()
        return [hashlib.blake2b(text.encode(), digest_size=32).hexdigest() for text in replaced]

    for label, size in (("100 B", 100), ("2 kB", 2000)):
        texts = _texts(size, messy=True, sensitive=True)
        yield _case(
            f"plan of four steps, 1000 x {label}",
            size,
            Bar("sum of the best peers", 2.0, 3.0),
            lambda texts=texts: plan.run(texts),  # type: ignore[misc]
            {"sum of the best peers": lambda texts=texts: by_peers(texts)},  # type: ignore[misc]
        )


def cases() -> list[Case]:
    """Make the cases; texts and matchers are made here, outside of every clock."""
    ours = FastStringProcessor(manager=native_manager())
    twin = FastStringProcessor(manager=twin_manager())
    return [
        *_normalize_cases(ours, twin),
        *_find_cases(ours),
        *_redact_cases(ours),
        *_resemblance_cases(ours),
        *(_plan_cases(ours) if PEERS["pyarrow"] else ()),
    ]


SUBJECT = Subject("text", cases, tuple(name for name, version in PEERS.items() if not version))
