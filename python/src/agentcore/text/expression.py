r"""The regular expressions that Python's ``re`` and Rust's ``regex`` read alike.

Both engines prefer matches from left to right as Perl does, but differ in tables,
flags and corners. So the expression is parsed here, and written out for each engine
in what is left: explicit ASCII classes, no flags.

There are: characters, ``.`` (no newline), ``[...]`` and ``[^...]`` of ASCII,
``\d \w \s \D \W \S`` (ASCII), ``\t \n \r \f \v \xHH`` and escaped punctuation,
``|``, ``(...)``, ``(?P<name>...)``, ``(?:...)``, ``* + ? {m} {m,} {m,n}`` and the
lazy forms, ``^`` and ``$`` (the very ends), ``\b`` (ASCII). Refused, by name: what else
there is; an expression or a repeated part that can match nothing; a capturing group in
what may repeat more than once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

__all__ = ["SIZE_LIMIT", "Translated", "replacement_parts", "translate"]

SIZE_LIMIT = 2000
"""The most characters and classes of an expression, counting repetitions."""
_COUNT_LIMIT = 1000
_MULTIBYTE = (
    r"[\xC2-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF][\x80-\xBF]"
    r"|[\xF0-\xF4][\x80-\xBF][\x80-\xBF][\x80-\xBF]"
)

_DIGITS = frozenset(range(0x30, 0x3A))
_WORDS = _DIGITS | frozenset([*range(0x41, 0x5B), *range(0x61, 0x7B), 0x5F])
_SPACES = frozenset(b" \t\n\r\f\v")
_CLASSES = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_ALL = frozenset(range(128))


@dataclass(frozen=True)
class Translated:
    """An expression for each engine.

    Attributes:
        python: for ``re``, with the flag ASCII.
        native: for ``regex::bytes`` without Unicode.
        groups: how many capturing groups there are.
        names: the numbers of the named ones.
    """

    python: str
    native: str
    groups: int
    names: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    python: str
    native: str
    empty: bool  # can it match nothing?
    size: int
    captures: bool = False


def translate(pattern: str, ignore_case: bool = False) -> Translated:
    """Parse an expression and write it out for both engines.

    Args:
        pattern: the expression.
        ignore_case: let ASCII letters match in either case.

    Raises:
        TypeError: ``pattern`` is no string.
        ValueError: it is not in the subset; the message says what, where and why.
    """
    if not isinstance(pattern, str):
        raise TypeError(f"pattern must be str, got {type(pattern).__name__}")
    return _Parser(pattern, bool(ignore_case)).parse()


class _Parser:
    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self.pattern = pattern
        self.ignore_case = ignore_case
        self.at = 0
        self.depth = 0
        self.groups = 0
        self.names: dict[str, int] = {}

    def parse(self) -> Translated:
        whole = self.alternatives()
        if self.at < len(self.pattern):
            self.refuse("')' without '('")
        if whole.empty:
            raise ValueError(f"pattern {self.pattern!r} can match nothing, which is not supported")
        return Translated(whole.python, whole.native, self.groups, self.names)

    def refuse(self, what: str, at: int | None = None) -> NoReturn:
        place = self.at if at is None else at
        raise ValueError(f"pattern {self.pattern!r}, position {place}: {what}")

    def peek(self, count: int = 1) -> str:
        return self.pattern[self.at : self.at + count]

    def alternatives(self) -> _Part:
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        if len(parts) == 1:
            return parts[0]
        return _Part(
            "(?:" + "|".join(part.python for part in parts) + ")",
            "(?:" + "|".join(part.native for part in parts) + ")",
            any(part.empty for part in parts),
            sum(part.size for part in parts),
            any(part.captures for part in parts),
        )

    def sequence(self) -> _Part:
        parts = []
        size = 0
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
            size += parts[-1].size
            if size > SIZE_LIMIT:
                self.refuse(f"the expression is larger than {SIZE_LIMIT} characters and classes")
        return _Part(
            "".join(part.python for part in parts),
            "".join(part.native for part in parts),
            all(part.empty for part in parts),
            size,
            any(part.captures for part in parts),
        )

    def repeated(self) -> _Part:
        begun = self.at
        part = self.atom()
        found = re.compile(r"[*+?]|\{([0-9]+)(,([0-9]*))?\}").match(self.pattern, self.at)
        if found is None:
            return part
        sign, least, more, most = found.group(0, 1, 2, 3)
        low = int(least) if least else int(sign == "+")
        high = int(most) if most else 1 if sign == "?" else None if more or not least else low
        if low > _COUNT_LIMIT or (high or 0) > _COUNT_LIMIT:
            self.refuse(f"a count is above {_COUNT_LIMIT}")
        if high is not None and (high < low or high == 0):
            self.refuse("the counts repeat nothing")
        if part.empty:
            self.refuse("what is repeated can match nothing, which is not supported", begun)
        if part.captures and high != 1:
            self.refuse("a group that captures can't be repeated; use (?:...)", begun)
        self.at = found.end()
        lazy = "?" if self.peek() == "?" else ""
        self.at += len(lazy)
        if self.peek() in ("*", "+", "?", "{") and self.peek():
            self.refuse("repetitions of repetitions and possessive ones are not supported")
        size = part.size * max(low, high or 1, 1)
        if size > SIZE_LIMIT:
            self.refuse(f"the expression is larger than {SIZE_LIMIT} characters and classes", begun)
        count = "{" + str(low) + "," + ("" if high is None else str(high)) + "}" + lazy
        return _Part(
            f"(?:{part.python}){count}",
            f"(?:{part.native}){count}",
            low == 0,
            size,
            part.captures,
        )

    def atom(self) -> _Part:
        character = self.peek()
        if character == "(":
            return self.group()
        self.at += 1
        if character == "[":
            return self.bracketed()
        if character == "\\":
            return self.escaped()
        if character == ".":
            return _class(_ALL - {0x0A}, True)
        if character == "^":
            return _Part(r"\A", r"\A", True, 0)
        if character == "$":
            return _Part(r"\Z", r"\z", True, 0)
        if character in "*+?{":
            self.refuse(f"{character!r} repeats nothing; as a character it is \\{character}",
                        self.at - 1)  # fmt: skip
        if character in "]}":
            self.refuse(f"{character!r} closes nothing; as a character it is \\{character}",
                        self.at - 1)  # fmt: skip
        return self.literal(character)

    def literal(self, character: str) -> _Part:
        if ord(character) < 128:
            return _class(self.cased(frozenset([ord(character)])), False)
        native = "".join(f"\\x{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        return _Part(f"\\U{ord(character):08x}", f"(?:{native})", False, 1)

    def cased(self, points: frozenset[int]) -> frozenset[int]:
        if not self.ignore_case:
            return points
        text = "".join(map(chr, points))
        return points | frozenset(map(ord, text.lower() + text.upper()))

    def group(self) -> _Part:
        begun = self.at
        if self.depth == 20:
            self.refuse("groups are nested deeper than 20")
        self.depth += 1
        named = re.compile(r"\(\?P<([A-Za-z_][A-Za-z0-9_]*)>").match(self.pattern, self.at)
        number = 0
        if self.peek(3) == "(?:":
            self.at += 3
        elif named or self.peek(2) != "(?":
            number = self.groups = self.groups + 1
            if named:
                if named[1] in self.names:
                    self.refuse(f"there are two groups named {named[1]!r}")
                self.names[named[1]] = number
            self.at = named.end() if named else self.at + 1
        else:
            self.refuse("only (...), (?:...) and (?P<name>...) are supported")
        inner = self.alternatives()
        if self.peek() != ")":
            self.refuse("'(' is not closed", begun)
        self.at += 1
        self.depth -= 1
        mark = "(" if number else "(?:"
        return _Part(
            f"{mark}{inner.python})",
            f"{mark}{inner.native})",
            inner.empty,
            inner.size,
            inner.captures or number > 0,
        )

    def escaped(self) -> _Part:
        character = self.peek()
        if character == "b":
            self.at += 1
            return _Part(r"\b", r"\b", True, 0)
        if character and character.lower() in _CLASSES:
            self.at += 1
            points = _CLASSES[character.lower()]
            return _class(_ALL - points, True) if character.isupper() else _class(points, False)
        return self.literal(self.escape())

    def escape(self) -> str:
        """Read what follows a backslash as one character."""
        character = self.peek()
        begun = self.at - 1
        self.at += 1
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "x":
            digits = self.peek(2)
            self.at += 2
            if re.fullmatch(r"[0-9A-Fa-f]{2}", digits):
                return chr(int(digits, 16))
            self.refuse("\\x needs two hexadecimal digits", begun)
        if not character or character.isalnum() or ord(character) > 127:
            self.refuse(f"\\{character} is not supported", begun)
        return character

    def bracketed(self) -> _Part:
        begun = self.at - 1
        negated = self.peek() == "^"
        self.at += negated
        points: set[int] = set()
        first = True
        while first or self.peek() != "]":
            first = False
            low = self.member(begun)
            if isinstance(low, frozenset):
                points |= low
                continue
            high = low
            if self.peek() == "-" and self.peek(2) not in ("-]", "-"):
                self.at += 1
                other = self.member(begun)
                if isinstance(other, frozenset) or other < low:
                    self.refuse("the range in a class is none", begun)
                high = other
            points |= set(range(low, high + 1))
        self.at += 1
        members = self.cased(frozenset(points))
        if negated:
            return _class(_ALL - members, True)
        return _class(members, False)

    def member(self, begun: int) -> int | frozenset[int]:
        character = self.peek()
        if not character:
            self.refuse("'[' is not closed", begun)
        self.at += 1
        if character == "[":
            self.refuse("'[' in a class is \\[", self.at - 1)
        if character == "\\":
            if self.peek() and self.peek().lower() in _CLASSES:
                if self.peek().isupper():
                    self.refuse("a negated class in a class is not supported", self.at - 1)
                self.at += 1
                return _CLASSES[self.pattern[self.at - 1]]
            character = self.escape()
        if ord(character) > 127:
            self.refuse("a class can only hold ASCII characters", self.at - 1)
        if character in "&~|" and self.peek() == character:
            self.refuse(f"{character * 2!r} in a class is ambiguous", self.at - 1)
        return ord(character)


def _class(points: frozenset[int], others: bool) -> _Part:
    """Return a class of ASCII ``points`` and, where asked, all other characters."""
    ranges: list[list[int]] = []
    for point in sorted(points):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    members = "".join(f"\\x{low:02X}-\\x{high:02X}" for low, high in ranges)
    python = f"[{members}\\x80-\\U0010ffff]" if others else f"[{members}]"
    native = f"[{members}]"
    if others:
        native = f"(?:{native}|{_MULTIBYTE})" if members else f"(?:{_MULTIBYTE})"
    return _Part(python, native, False, 1)


def replacement_parts(replacement: str, expression: Translated) -> tuple[str | int, ...]:
    r"""Parse a replacement: text with ``\1``, ``\g<1>``, ``\g<name>`` and ``\\``.

    Returns:
        Strings and numbers of groups, as they follow each other.

    Raises:
        TypeError: it is no string.
        ValueError: a group does not exist, or another escape.
    """
    if not isinstance(replacement, str):
        raise TypeError(f"replacement must be str, got {type(replacement).__name__}")
    parts: list[str | int] = []
    at = 0
    for found in re.finditer(r"\\(?:([0-9]{1,2})|g<([0-9]{1,3}|[A-Za-z_][A-Za-z0-9_]*)>|(\\)|)",
                             replacement):  # fmt: skip
        number, name, backslash = found.groups()
        parts.append(replacement[at : found.start()])
        at = found.end()
        if backslash:
            parts.append("\\")
            continue
        word = number if name is None else name
        if word is None or (number and number.startswith("0")):
            raise ValueError(
                f"replacement {replacement!r}, position {found.start()}: "
                "only \\1 to \\99, \\g<...> and \\\\ are supported"
            )
        group = int(word) if word.isdigit() else expression.names.get(word, -1)
        if not 0 <= group <= expression.groups:
            raise ValueError(f"replacement {replacement!r}: there is no group {word!r}")
        parts.append(group)
    parts.append(replacement[at:])
    return tuple(part for part in parts if part != "")
