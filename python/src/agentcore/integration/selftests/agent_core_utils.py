"""What ``agent_core_utils`` must answer: caches, their order, and the text operations."""

from __future__ import annotations

from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]

_RULES = ["token", "email", "iban", "card", "ipv6", "ipv4", "phone"]


def _lru(ns: Any) -> object:
    cache = ns.Cache(3, "lru")
    cache.set_many([("a", 1), ("b", 2), ("c", 3)])
    cache.get("a")
    cache["d"] = 4
    return cache.keys(), cache.get_many(["a", "b"], "gone"), cache.stats()


def _s3fifo(ns: Any) -> object:
    cache = ns.Cache(10, "s3fifo")
    for key in range(10):
        cache.set(key, str(key))
    for _ in range(2):
        cache.get(4)
    cache.set_many([(key, "scan") for key in range(100, 112)])
    cache.set(100, "a ghost returns")
    return cache.items(), cache.delete(4), len(cache)


def _ttl(ns: Any) -> object:
    now = [100.0]
    cache = ns.Cache(4, "lru", 10.0, lambda: now[0])
    cache.set("a", 1)
    cache.set("b", 2, ttl=1.0)
    now[0] = 101.0
    seen = "b" in cache, cache.get("b"), cache.get("a")
    now[0] = 110.0
    return seen, cache.expire(), cache.stats()


def _keys(ns: Any) -> object:
    cache = ns.Cache(8, "lru")
    cache.set_many({1: "int", (1, "x"): "tuple", None: "none", "": "empty"})
    return cache.get(1.0), cache.get((1, "x")), cache.get(None), cache.peek("", 0), cache.peek(2)


def _missing(ns: Any) -> object:
    try:
        return ns.Cache(1, "lru")["gone"]
    except KeyError as error:
        return error.args


def _normalize(ns: Any) -> object:
    texts = ["  Mixed\tCASE \x1cText ", "Stra\u00dfe\u00a0\u0130", "as it is", "\x07bell \ud800"]
    return ns.normalize_many(texts, "NFKC", "fold", True, True)


def _find(ns: Any) -> object:
    texts = ["a\u00fcabcb", "", "\U0001f600bc"]
    patterns = ["bc", "abc", "\u00fc"]
    return (
        ns.Matcher(patterns, "leftmost", False).find_many(texts),
        ns.Matcher(patterns, "overlapping", False).find_many(texts),
    )


def _redact(ns: Any) -> object:
    texts = [
        "jane@example.org from 10.0.0.1 or fe80::1",
        "DE89 3704 0044 0532 0130 00, 4111-1111-1111-1111",
        "call +49 30 1234567, key sk-abcdefghijklmnop1234",
        "std::vector, 1.2.3, 4111 1111 1111 1112",
    ]
    return ns.redact_many(texts, _RULES)


VECTORS: tuple[Vector, ...] = (
    Vector("lru order", _lru, (["c", "a", "d"], [1, "gone"], (2, 1, 1, 0, 3, 3))),
    Vector(
        "s3fifo order",
        _s3fifo,
        (
            [
                *((key, "scan") for key in (104, 105, 106, 107, 108, 109, 110, 111)),
                (4, "4"),
                (100, "a ghost returns"),
            ],
            True,
            9,
        ),
    ),
    Vector("time to live", _ttl, ((False, None, 1), 1, (1, 1, 0, 2, 0, 4))),
    Vector("keys of any type", _keys, ("int", "tuple", "none", "empty", None)),
    Vector("missing key", _missing, ("gone",)),
    Vector(
        "normalize",
        _normalize,
        ["mixed case text", "strasse i\u0307", "as it is", "bell \ud800"],
    ),
    Vector(
        "find",
        _find,
        (
            [[(2, 1, 2), (1, 2, 5)], [], [(0, 1, 3)]],
            [[(2, 1, 2), (1, 2, 5), (0, 3, 5)], [], [(0, 1, 3)]],
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
)
