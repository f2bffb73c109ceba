"""What is made ready once and used for many texts: patterns, an expression, a plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from agentcore.integration import RustIntegrationManager
from agentcore.text import twin
from agentcore.text.answering import Answering
from agentcore.text.arguments import as_list
from agentcore.text.expression import Translated, replacement_parts, translate
from agentcore.text.hits import Hits
from agentcore.text.plan import Step, checked_group, parse_steps

__all__ = ["PatternFinder", "TextExpression", "TextPlan"]


class PatternFinder(Answering):
    """Patterns made ready once, to be found in many strings. Safe under threads."""

    HOT: ClassVar = ("find_many",)

    def __init__(
        self, manager: RustIntegrationManager, patterns: list[str], kind: str, ignore_case: bool
    ) -> None:
        options = (list(patterns), kind, ignore_case)
        super().__init__(
            manager,
            lambda native, bridge: native.Matcher(*options, bridge),
            lambda: twin.Matcher(*options),
        )

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Return the matches in one string as ``(pattern, start, end)``."""
        return self.find_many([text])[0]

    def find_many(self, texts: Iterable[str]) -> list[list[tuple[int, int, int]]]:
        """Return for each string its matches as ``(pattern, start, end)``.

        ``pattern`` is the index in the patterns; offsets are in code points.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
        """
        found: list[list[tuple[int, int, int]]] = self._core.find_many(texts)
        return found

    def find_all(self, texts: Iterable[str]) -> Hits:
        """Return all matches in one buffer: many times faster than lists of tuples.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
        """
        return Hits(self._core.find_packed(texts))


class TextExpression(Answering):
    """A regular expression made ready; see :mod:`agentcore.text.expression`."""

    def __init__(self, manager: RustIntegrationManager, pattern: str, ignore_case: bool) -> None:
        self.pattern = pattern
        self._translated: Translated = translate(pattern, ignore_case)
        sources = (self._translated.native, self._translated.python)
        super().__init__(
            manager,
            lambda native, bridge: native.Expression(sources[0], bridge),
            lambda: twin.Expression(sources[1]),
        )

    def extract_many(self, texts: Iterable[str], *, group: int | str = 0) -> list[list[str | None]]:
        """Return for each string what the expression, or one group of it, matched.

        None stands where the group took no part in a match.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
            ValueError: there is no such group.
        """
        names = self._translated.names
        number = checked_group(group, self._translated.groups, names)
        found: list[list[str | None]] = self._core.extract_many(texts, number)
        return found

    def replace_many(self, texts: Iterable[str], replacement: str) -> list[str]:
        r"""Replace the matches in each string.

        Args:
            texts: the strings.
            replacement: with ``\1``, ``\g<name>`` for what a group matched (nothing, if it
                took no part), ``\g<0>`` for all of it, ``\\`` for a backslash.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
            ValueError: the replacement names a group that does not exist.
        """
        parts = replacement_parts(replacement, self._translated)
        changed: list[str] = self._core.replace_parts(as_list("texts", texts), parts)
        return changed

    def __repr__(self) -> str:
        return f"<TextExpression {self.pattern!r}, {self.implementation}>"


class TextPlan(Answering):
    """Several steps made ready, to be run over many strings in one call."""

    HOT: ClassVar = ("run",)

    def __init__(self, manager: RustIntegrationManager, steps: Iterable[Step]) -> None:
        parsed = parse_steps(steps)
        self.steps = tuple(name for name, *_ in parsed)
        super().__init__(
            manager,
            lambda native, bridge: native.Plan(parsed, bridge),
            lambda: twin.Plan(parsed),
        )

    def run(self, texts: Iterable[str]) -> list[Any]:
        """Return what each string becomes: a string, or what the last step makes.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
        """
        done: list[Any] = self._core.run(texts)
        return done

    def __repr__(self) -> str:
        return f"<TextPlan {' > '.join(self.steps)}, {self.implementation}>"
