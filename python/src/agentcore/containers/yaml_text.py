"""Reads YAML text into plain values, by YAML 1.2 rules, with bounds.

Works on the parser's events rather than on PyYAML's loader: its loader follows YAML 1.1, where
``restart: no`` is a boolean and ``22:22`` a number in base 60, and it lets one key hide another.
The native component resolves scalars by the same rules, so both read a template alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from agentcore.containers.contract import TemplateError
from agentcore.containers.values import child, show

__all__ = ["MAX_DEPTH", "MAX_NODES", "MAX_TEXT_BYTES", "load"]

MAX_TEXT_BYTES: Final = 262_144
"""Longest template accepted, in bytes of UTF-8."""
MAX_NODES: Final = 10_000
"""Most values in a template, counted after aliases are expanded."""
MAX_DEPTH: Final = 32
"""Deepest nesting of lists and mappings."""

_INT = re.compile(r"([+-]?)(?:0x([0-9A-Fa-f]+)|0o([0-7]+)|0b([01]+)|(0|[1-9][0-9]*))", re.A)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.A)
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+", re.A)
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_PRINTABLE = "expected printable text"
_SPECIAL = {f"{s}.{w}" for s in ("", "+", "-") for w in ("inf", "Inf", "INF")} | {
    ".nan",
    ".NaN",
    ".NAN",
}
_INT_LIMIT = 2**63
_TOO_BIG = TemplateError(
    [f"template: too large; expected at most {MAX_NODES} values nested {MAX_DEPTH} deep"]
)
_PARSER_DEPTH = 128  # where the native component's parser gives up, before it reads on
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """Read one YAML document.

    Args:
        text: the document; at most ``MAX_TEXT_BYTES`` long.

    Returns:
        None, bool, int, float, str, list or dict with text keys, nested.

    Raises:
        TemplateError: not YAML, more than one document, a tag, a duplicate key, or too large.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise TemplateError([f"template: too long; expected at most {MAX_TEXT_BYTES} bytes"])
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise TemplateError(
            [f"template: character U+{ord(bad[0]):04X} at line {line}; {_PRINTABLE}"]
        )
    events: list[Any] = []
    anchors: dict[str, int] = {}
    targets: dict[int, int] = {}  # of each alias, the place of the latest anchor of its name
    documents = depth = 0
    # The first fault is the one that is told, whether it is one of syntax or of meaning.
    try:
        for at, event in enumerate(yaml.parse(text, Loader=_LOADER)):
            events.append(event)
            documents += isinstance(event, yaml.DocumentEndEvent)
            if documents:
                continue
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _PARSER_DEPTH:
                raise _TOO_BIG
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    raise TemplateError(["template: an alias names no anchor before it"])
                targets[at] = anchors[event.anchor]
            elif isinstance(event, yaml.NodeEvent) and event.anchor is not None:
                anchors[event.anchor] = at
            if isinstance(event, yaml.ScalarEvent) and event.tag and not event.tag.startswith("!"):
                _tagged(event, event.tag)  # for what it refuses
    except (yaml.YAMLError, UnicodeError) as error:
        if documents == 0:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark is not None else ""
            raise TemplateError(
                [f"template: not valid YAML{where}; expected one YAML document"]
            ) from None
        documents += 1  # something follows the document; what, does not matter
    if documents > 1:
        raise TemplateError(["template: more than one document; expected one YAML document"])
    if documents == 0:
        return None
    return _Builder(events, targets).build()


class _Builder:
    """Builds values from events; an alias replays the events of its anchor."""

    def __init__(self, events: list[Any], targets: dict[int, int]) -> None:
        self.events = events
        self.targets = targets
        self.nodes = 0
        self.problems: list[str] = []

    def build(self) -> Any:
        start = next(i for i, e in enumerate(self.events) if isinstance(e, yaml.NodeEvent))
        value, _ = self.node(start, "", 0)
        if self.problems:
            raise TemplateError(self.problems)
        return value

    def node(self, at: int, path: str, depth: int) -> tuple[Any, int]:
        event = self.events[at]
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise _TOO_BIG
        if isinstance(event, yaml.AliasEvent):
            value, _ = self.node(self.targets[at], path, depth + 1)
            return value, at + 1
        tag = event.tag
        if tag is not None and tag.startswith("!"):
            self.problems.append(f"{path or 'template'}: a tag; expected a plain value")
            tag = None
        if isinstance(event, yaml.ScalarEvent):
            if tag is not None:
                return _tagged(event, tag), at + 1
            return (event.value if event.style else resolve(event.value)), at + 1
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            at += 1
            while not isinstance(self.events[at], yaml.SequenceEndEvent):
                item, at = self.node(at, f"{path}[{len(items)}]", depth + 1)
                items.append(item)
            return items, at + 1
        return self.mapping(at + 1, path, depth)

    def mapping(self, at: int, path: str, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while not isinstance(self.events[at], yaml.MappingEndEvent):
            key, at = self.node(at, path, depth + 1)
            name = key if isinstance(key, str) else None
            if isinstance(key, int) and not isinstance(key, bool):
                name = str(key)
            if name is None:
                self.problems.append(
                    f"{path or 'template'}: a key is {show(key)}; expected a text key"
                )
                name = ""
            value, at = self.node(at, child(path, name), depth + 1)
            if name in found:
                self.problems.append(f"{child(path, name)}: written twice; expected once")
            found[name] = value
        return self.merged(found, path), at + 1

    def merged(self, found: dict[str, Any], path: str) -> dict[str, Any]:
        """Apply ``<<``: the mapping's own keys win, then the earlier of several merged ones."""
        if "<<" not in found:
            return found
        sources = found.pop("<<")
        for source in sources if isinstance(sources, list) else [sources]:
            if not isinstance(source, dict):
                self.problems.append(
                    f"{child(path, '<<')}: {show(source)}; expected a mapping to merge"
                )
                continue
            for key, value in source.items():
                found.setdefault(key, value)
        return found


def _tagged(event: Any, tag: str) -> Any:
    """Give a scalar the core type that its ``!!`` tag names; any other ``!!`` tag means text."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind not in ("bool", "int", "float", "null"):
        return event.value
    value: Any = resolve(event.value)
    names: tuple[type, ...] = {
        "bool": (bool,),
        "int": (int,),
        "float": (float, int),
        "null": (type(None),),
    }[kind]
    if type(value) not in names:
        line = event.start_mark.line + 1
        raise TemplateError(
            [f"template: not valid YAML at line {line}; expected one YAML document"]
        )
    return float(value) if kind == "float" else value


def resolve(text: str) -> Any:
    """Give a plain scalar its YAML 1.2 core type.

    A number with leading zeros is text, as is anything that YAML 1.1 alone would take for a
    boolean, a date or a base-60 number.
    """
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text[0] in "tT"
    if match := _INT.fullmatch(text):
        for digits, base in zip(match.groups()[1:], (16, 8, 2, 10), strict=True):
            if digits is not None:
                digits = digits.lstrip("0") or "0"
                number = int(digits, base) if len(digits) <= 64 else _INT_LIMIT
                if number >= _INT_LIMIT:
                    return float("inf")  # no field takes such a number: refused where it stands
                return -number if match[1] == "-" else number
    if text in _SPECIAL:
        return float(text.replace(".", "", 1))
    if _FLOAT.fullmatch(text) and not _LEADING_ZERO.fullmatch(text):
        number_f = float(text)
        return number_f if abs(number_f) != float("inf") else text
    return text


def texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and value of each text in a tree, in order."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from texts(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from texts(value, child(path, key))
