"""Parse the steps of a plan into what both implementations take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agentcore.text import arguments as check
from agentcore.text.contract import (
    Case,
    ChunkUnit,
    Form,
    HashAlgorithm,
    NgramUnit,
    TokenKind,
)
from agentcore.text.expression import replacement_parts, translate

__all__ = [
    "BUDGET_LIMIT",
    "FINISHING",
    "NGRAM_LIMIT",
    "STEPS",
    "STEPS_LIMIT",
    "Step",
    "checked_chunking",
    "checked_group",
    "parse_steps",
]

Step = str | tuple[str, Mapping[str, Any]]
"""A step as callers write it: its name, or its name and options."""

STEPS_LIMIT = 64
NGRAM_LIMIT = 64
BUDGET_LIMIT = 1_000_000


def checked_chunking(budget: Any, overlap: Any, by: Any) -> tuple[int, int, str]:
    """Return the options of chunking, checked.

    Raises:
        TypeError: ``budget`` or ``overlap`` is no integer.
        ValueError: one is out of range, or there is no such unit.
    """
    check.check_integer("budget", budget, 1, BUDGET_LIMIT)
    check.check_integer("overlap", overlap, 0, budget - 1)
    check.check_choice("by", by, ChunkUnit, optional=False)
    return budget, overlap, by


def checked_group(group: Any, groups: int, names: Mapping[str, int]) -> int:
    """Return the number of a group given by number or name.

    Raises:
        TypeError: ``group`` is neither.
        ValueError: there is no such group.
    """
    if isinstance(group, str):
        if group not in names:
            known = ", ".join(map(repr, names)) or "none"
            raise ValueError(f"there is no group {group!r}; named are {known}")
        return names[group]
    check.check_integer("group", group, 0, groups)
    return int(group)


def _normalize(
    form: Any = None, case: Any = "lower", whitespace: Any = True, controls: Any = False
) -> tuple[Any, ...]:
    check.check_choice("form", form, Form, optional=True)
    check.check_choice("case", case, Case, optional=True)
    return form, case, bool(whitespace), bool(controls)


def _redact(kinds: Any = None) -> tuple[Any, ...]:
    return (check.checked_kinds(kinds),)


def _replace(pattern: Any, replacement: Any, ignore_case: Any = False) -> tuple[Any, ...]:
    found = translate(pattern, ignore_case)
    return found.native, replacement_parts(replacement, found), found.python


def _tokenize(kind: Any = "word") -> tuple[Any, ...]:
    check.check_choice("kind", kind, TokenKind, optional=False)
    return (kind,)


def _ngrams(n: Any, unit: Any = "word") -> tuple[Any, ...]:
    check.check_integer("n", n, 1, NGRAM_LIMIT)
    check.check_choice("unit", unit, NgramUnit, optional=False)
    return n, unit


def _sentences() -> tuple[Any, ...]:
    return ()


def _chunk(budget: Any = 256, overlap: Any = 0, by: Any = "sentence") -> tuple[Any, ...]:
    return checked_chunking(budget, overlap, by)


def _hash(algorithm: Any = "blake2b") -> tuple[Any, ...]:
    check.check_choice("algorithm", algorithm, HashAlgorithm, optional=False)
    return (algorithm,)


def _extract(pattern: Any, group: Any = 0, ignore_case: Any = False) -> tuple[Any, ...]:
    found = translate(pattern, ignore_case)
    return found.native, checked_group(group, found.groups, found.names), found.python


STEPS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "normalize": _normalize,
    "redact": _redact,
    "replace": _replace,
    "tokenize": _tokenize,
    "ngrams": _ngrams,
    "sentences": _sentences,
    "chunk": _chunk,
    "hash": _hash,
    "extract": _extract,
}
"""Each step with what checks its options, which are those of the facade's method."""

FINISHING = frozenset(("tokenize", "ngrams", "sentences", "chunk", "hash", "extract"))
"""The steps that make something else than a text of a text; only the last can be one."""


def parse_steps(steps: Iterable[Step]) -> tuple[tuple[Any, ...], ...]:
    """Check the steps of a plan and bring them into the form of the implementations.

    Raises:
        TypeError: a step is neither a name nor a name with options.
        ValueError: there is no step, too many, no such step or option, a bad option, or a
            finishing step that is not the last.
    """
    if isinstance(steps, str | bytes) or not isinstance(steps, Iterable):
        raise TypeError(f"steps must be an iterable of steps, got {type(steps).__name__}")
    given = list(steps)
    if not 1 <= len(given) <= STEPS_LIMIT:
        raise ValueError(f"a plan has from 1 to {STEPS_LIMIT} steps, got {len(given)}")
    return tuple(_parsed(at, step, at == len(given) - 1) for at, step in enumerate(given))


def _parsed(at: int, step: Any, last: bool) -> tuple[Any, ...]:
    where = f"steps[{at}]"
    name: Any = step if isinstance(step, str) else None
    options: Any = {}
    if isinstance(step, tuple) and len(step) == 2:
        name, options = step
    if not isinstance(name, str) or not isinstance(options, Mapping):
        raise TypeError(f"{where} must be a name or (name, {{option: value}}), got {step!r}")
    if name not in STEPS:
        raise ValueError(f"{where}: unknown step {name!r}; known are {', '.join(STEPS)}")
    if name in FINISHING and not last:
        raise ValueError(f"{where}: {name!r} can only be the last step")
    maker = STEPS[name]
    code = maker.__code__
    known = code.co_varnames[: code.co_argcount]
    needed = known[: code.co_argcount - len(maker.__defaults__ or ())]
    for option in options:
        if option not in known:
            names = ", ".join(known) or "none"
            raise ValueError(f"{where}: unknown option {option!r} of {name!r}; known are {names}")
    for option in needed:
        if option not in options:
            raise ValueError(f"{where}: {name!r} needs the option {option!r}")
    try:
        return (name, *maker(**options))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None
