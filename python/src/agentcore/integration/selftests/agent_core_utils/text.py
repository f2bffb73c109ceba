"""What the text operations of ``agent_core_utils`` must answer."""

from __future__ import annotations

from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]

_RULES = ["token", "email", "iban", "card", "ipv6", "ipv4", "phone"]


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
