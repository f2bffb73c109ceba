"""FastStringProcessor beside plain Python and ahocorasick_rs, on texts made from a fixed seed."""

from __future__ import annotations

import platform
import random
import re
from collections.abc import Callable
from itertools import islice

from agentcore.text import FastStringProcessor
from agentcore.text.contract import LABELS
from benchmarks.harness import Bar, Case, Contender, Subject, installed, per_operation
from benchmarks.native import OURS_VERSION, native_manager, twin_manager

AHOCORASICK = installed("ahocorasick_rs")
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


def _timed(work: Callable[[], object], size: int) -> Callable[[], float]:
    """Return a measure in microseconds a text."""
    repeat = 5 if size <= 200 else 1
    return lambda: per_operation(work, COUNT, repeat) / 1000


def _case(
    name: str, size: int, bar: Bar | None, ours: Callable[[], object], **peers: Callable[[], object]
) -> Case:
    versions = {"ahocorasick_rs": AHOCORASICK, "python twin": OURS_VERSION}
    named = {name.replace("_", " ") if name != "ahocorasick_rs" else name: work
             for name, work in peers.items()}  # fmt: skip
    return Case(
        name,
        "us/text",
        "lower",
        Contender("agentcore", OURS_VERSION, _timed(ours, size)),
        [
            Contender(peer, versions.get(peer, PYTHON), _timed(work, size))
            for peer, work in named.items()
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


def cases() -> list[Case]:
    """Make the cases; texts and matchers are made here, outside of every clock."""
    ours = FastStringProcessor(manager=native_manager())
    twin = FastStringProcessor(manager=twin_manager())
    made: list[Case] = []

    def normalize(label: str, texts: list[str], size: int, bar: Bar | None) -> None:
        made.append(
            _case(
                f"normalize 1000 x {label}",
                size,
                bar,
                lambda: ours.normalize_many(texts),
                plain_Python=lambda: _plain_normalize(texts),
                python_twin=lambda: twin.normalize_many(texts),
            )
        )

    def find(label: str, texts: list[str], size: int, bar: Bar) -> None:
        random_ = random.Random(7)  # noqa: S311 - a seed, not a secret
        patterns = list(islice(dict.fromkeys(_words(random_, 400)), 100))
        finder = ours.finder(patterns)
        pattern = re.compile("|".join(sorted(map(re.escape, patterns), key=len, reverse=True)))
        peers: dict[str, Callable[[], object]] = {}
        if AHOCORASICK:
            import ahocorasick_rs

            matcher = ahocorasick_rs.AhoCorasick(
                patterns, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
            )
            peers["ahocorasick_rs"] = lambda: [
                matcher.find_matches_as_indexes(text) for text in texts
            ]
        peers["plain_Python"] = lambda: [
            [found.span() for found in pattern.finditer(text)] for text in texts
        ]
        made.append(
            _case(f"100 patterns with positions, 1000 x {label}", size, bar,
                  lambda: finder.find_many(texts), **peers)
        )  # fmt: skip

    def redact(label: str, texts: list[str], size: int) -> None:
        made.append(
            _case(
                f"redact 1000 x {label}",
                size,
                None,  # the bars are against libraries that this first version does not measure
                lambda: ours.redact_many(texts),
                plain_Python=lambda: _plain_redact(texts),
                python_twin=lambda: twin.redact_many(texts),
            )
        )

    plain = "plain Python"
    for label, size, messy_bar, single_bar in (
        ("100 B", 100, Bar(plain, 4.0, 6.0), Bar(plain, 6.0, 9.0)),
        ("2 kB", 2000, Bar(plain, 5.0, 7.5), Bar(plain, 12.0, 25.0)),
    ):
        normalize(f"{label}, messy", _texts(size, messy=True), size, messy_bar)
        normalize(f"{label}, single-spaced", _texts(size, messy=False), size, single_bar)
        foreign = _texts(size, messy=True, foreign=True)
        normalize(f"{label}, 10 % words beyond ASCII", foreign, size, None)
        sensitive = _texts(size, messy=False, sensitive=True)
        must, aim = (2.5, 4.0) if size == 100 else (1.3, 2.5)
        find(label, sensitive, size, Bar("ahocorasick_rs", must, aim))
        redact(label, sensitive, size)
        redact(
            f"{label}, 10 % words beyond ASCII",
            _texts(size, messy=False, foreign=True, sensitive=True),
            size,
        )
    return made


SUBJECT = Subject("text", cases, () if AHOCORASICK else ("ahocorasick_rs",))
