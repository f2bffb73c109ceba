"""Reads what other programs leave in ``*.prom`` files: Prometheus's text format 0.0.4, strictly.

One bad line refuses its whole file: half a file would look like a change of the numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agentcore.performance.host import quoted

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*", re.ASCII)
_VALUE = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?inf|nan", re.ASCII | re.IGNORECASE
)
_QUOTED = re.compile(r'((?:[^"\\]|\\[\\"n])*)"', re.DOTALL)
_KINDS = ("counter", "gauge", "histogram", "summary", "untyped")
_SUFFIXES = (
    ("_bucket", ("histogram",)),
    ("_count", ("histogram", "summary")),
    ("_sum", ("histogram", "summary")),
)


class PromTextError(Exception):
    """A file isn't well formed."""


@dataclass(slots=True)
class Family:
    """One family as its file wrote it; samples are (name and sorted labels, line)."""

    help: str | None = None
    declared: str | None = None
    samples: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Its type; untyped if the file says none."""
        return self.declared or "untyped"


def parse(text: str) -> dict[str, Family]:
    """Parse a file.

    Raises:
        PromTextError: which line is wrong, and why.
    """
    families: dict[str, Family] = {}
    seen: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            _parse_line(line.strip(" \t\r"), families, seen)
        except PromTextError as error:
            raise PromTextError(f"line {number}: {error}") from None
    return {name: family for name, family in families.items() if family.samples}


def _parse_line(line: str, families: dict[str, Family], seen: set[str]) -> None:
    if not line:
        return
    if line.startswith("#"):
        _parse_comment(line, families)
        return
    name, key, written = _parse_sample(line)
    if key in seen:
        raise PromTextError(f"{key} is there twice")
    seen.add(key)
    family = families.setdefault(_family_name(name, families), Family())
    family.samples.append((key, written))


def _parse_comment(line: str, families: dict[str, Family]) -> None:
    is_help = line.startswith("# HELP ")
    if not is_help and not line.startswith("# TYPE "):
        return
    words = re.split(r"[ \t]", line[7:].lstrip(" \t"), maxsplit=1)
    name, value = words[0], words[1].strip(" \t") if len(words) > 1 else ""
    if not _NAME.fullmatch(name):
        raise PromTextError(f"{quoted(name)} is not a metric name")
    family = families.setdefault(name, Family())
    if is_help:
        if family.help is not None:
            raise PromTextError(f"second HELP line for {name}")
        family.help = value
        return
    if family.declared is not None:
        raise PromTextError(f"second TYPE line for {name}")
    if family.samples:
        raise PromTextError(f"TYPE line for {name} after its samples")
    if value not in _KINDS:
        raise PromTextError(f"unknown type {quoted(value)}")
    family.declared = value


def _family_name(sample: str, families: dict[str, Family]) -> str:
    for suffix, kinds in _SUFFIXES:
        if sample.endswith(suffix):
            base = sample.removesuffix(suffix)
            if base in families and families[base].kind in kinds:
                return base
    return sample


def _parse_sample(line: str) -> tuple[str, str, str]:
    found = _NAME.match(line)
    if found is None:
        raise PromTextError("expected a metric name")
    name = found[0]
    rest = line[found.end() :].lstrip(" \t")
    labels: list[str] = []
    if rest.startswith("{"):
        labels, rest = _parse_labels(rest[1:])
    words = [word for word in re.split(r"[ \t]", rest) if word]
    value = words[0] if words else ""
    if not _VALUE.fullmatch(value):
        raise PromTextError(f"{quoted(value)} is not a number")
    if len(words) > 1:
        raise PromTextError("timestamps are not supported")
    return name, _written(name, sorted(labels)), f"{_written(name, labels)} {value}\n"


def _written(name: str, labels: list[str]) -> str:
    return f"{name}{{{','.join(labels)}}}" if labels else name


def _parse_labels(rest: str) -> tuple[list[str], str]:
    """Read ``a="b",c="d"}``; return the pairs as written, and what follows the brace."""
    labels: list[str] = []
    names: set[str] = set()
    while True:
        rest = rest.lstrip(" \t")
        if rest.startswith("}"):
            return labels, rest[1:]
        found = _NAME.match(rest)
        if found is None or ":" in found[0]:
            raise PromTextError("expected a label name")
        name = found[0]
        opened = re.match(r'[ \t]*=[ \t]*"', rest[found.end() :])
        if opened is None:
            raise PromTextError(f'expected ="…" after the label {name}')
        rest = rest[found.end() + opened.end() :]
        value = _QUOTED.match(rest)
        if value is None:
            raise PromTextError(f"the label {name} does not end")
        if name in names:
            raise PromTextError(f"the label {name} is there twice")
        names.add(name)
        labels.append(f'{name}="{value[1]}"')
        rest = rest[value.end() :].lstrip(" \t")
        if rest.startswith(","):
            rest = rest[1:]
        elif not rest.startswith("}"):
            raise PromTextError(f"expected a comma after the label {name}")
