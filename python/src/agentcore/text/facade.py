"""FastStringProcessor: what callers use; they can't tell which implementation answers.

Arguments are checked here, once, so both implementations refuse in the same
words. A native call that fails inside is recorded and answered by the twin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from agentcore.integration import (
    Implementation,
    RustIntegrationManager,
    default_manager,
    is_native_panic,
)
from agentcore.text import twin
from agentcore.text.contract import (
    Case,
    Form,
    Kind,
    MatcherCore,
    MatchKind,
    TextCore,
    as_list,
    check_choice,
    check_patterns,
    checked_kinds,
)

__all__ = ["FastStringProcessor", "PatternFinder"]

COMPONENT = "agent_core_utils"
_TWIN = cast(TextCore, twin)
# What a call may raise by contract; any other Exception of native code is a fault.
_BY_CONTRACT = (TypeError, ValueError, MemoryError)

R = TypeVar("R")


def _is_fault(error: BaseException) -> bool:
    if isinstance(error, Exception):
        return not isinstance(error, _BY_CONTRACT)
    return is_native_panic(error)


class PatternFinder:
    """Patterns made ready once, to be found in many strings. Safe under threads."""

    def __init__(
        self, processor: FastStringProcessor, patterns: list[str], kind: str, ignore_case: bool
    ) -> None:
        self._processor = processor
        self._arguments = (list(patterns), kind, ignore_case)
        self._made: tuple[TextCore, MatcherCore] | None = None
        self._processor._answer(self._matcher)  # now, so that bad patterns fail now

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Return the matches in one string as ``(pattern, start, end)``."""
        return self.find_many([text])[0]

    def find_many(self, texts: Iterable[str]) -> list[list[tuple[int, int, int]]]:
        """Return for each string its matches as ``(pattern, start, end)``.

        ``pattern`` is the index in the patterns; offsets are in code points.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
        """
        checked = as_list("texts", texts)
        return self._processor._answer(lambda core: self._matcher(core).find_many(checked))

    def _matcher(self, core: TextCore) -> MatcherCore:
        """Return the matcher of this implementation, made when it is first asked for."""
        made = self._made
        if made is None or made[0] is not core:
            made = self._made = (core, core.Matcher(*self._arguments))
        return made[1]


class FastStringProcessor:
    """Normalize, find and redact in lists of strings. Safe under threads.

    Native work releases the interpreter, so threads run side by side. See
    :mod:`agentcore.text.contract` for what each operation means to the letter.

    Args:
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(self, *, manager: RustIntegrationManager | None = None) -> None:
        self._manager = default_manager() if manager is None else manager
        native = self._manager.native(COMPONENT)
        self._native = None if native is None else cast(TextCore, native)
        if native is not None:
            self._manager.on_trip(COMPONENT, self._on_trip)

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return "python" if self._native is None else "native"

    def normalize(
        self,
        text: str,
        *,
        form: Form | None = None,
        case: Case | None = "lower",
        whitespace: bool = True,
        controls: bool = False,
    ) -> str:
        """Normalize one string; see :meth:`normalize_many`."""
        return self.normalize_many(
            [text], form=form, case=case, whitespace=whitespace, controls=controls
        )[0]

    def normalize_many(
        self,
        texts: Iterable[str],
        *,
        form: Form | None = None,
        case: Case | None = "lower",
        whitespace: bool = True,
        controls: bool = False,
    ) -> list[str]:
        """Normalize each string.

        Args:
            texts: the strings.
            form: the Unicode form to bring them to first, if any.
            case: ``"lower"``, ``"fold"`` (for comparing), or None to leave it.
            whitespace: make one space of each run of whitespace, none at the ends.
            controls: drop control characters that are no whitespace.

        Raises:
            TypeError: ``texts`` is one string, or something in it is none.
            ValueError: there is no such form or case.
        """
        check_choice("form", form, Form, optional=True)
        check_choice("case", case, Case, optional=True)
        checked = as_list("texts", texts)
        steps = (form, case, bool(whitespace), bool(controls))
        return self._answer(lambda core: core.normalize_many(checked, *steps))

    def redact(self, text: str, *, kinds: Iterable[Kind] | None = None) -> str:
        """Redact one string; see :meth:`redact_many`."""
        return self.redact_many([text], kinds=kinds)[0]

    def redact_many(
        self, texts: Iterable[str], *, kinds: Iterable[Kind] | None = None
    ) -> list[str]:
        """Replace sensitive text in each string by its label, ``[EMAIL]`` for one.

        Args:
            texts: the strings.
            kinds: which kinds of :data:`agentcore.text.KINDS`; all if not given.

        Raises:
            TypeError: ``texts`` or ``kinds`` is one string, or something in it is none.
            ValueError: there is no such kind.
        """
        chosen = checked_kinds(kinds)
        checked = as_list("texts", texts)
        return self._answer(lambda core: core.redact_many(checked, chosen))

    def finder(
        self,
        patterns: Iterable[str],
        *,
        kind: MatchKind = "leftmost",
        ignore_case: bool = False,
    ) -> PatternFinder:
        """Make patterns ready to be found, for when they are used again and again.

        Args:
            patterns: the strings to find, none of them empty.
            kind: ``"leftmost"`` or ``"overlapping"``.
            ignore_case: let ASCII letters match in either case.

        Raises:
            TypeError: ``patterns`` is one string, or something in it is none.
            ValueError: a pattern is empty, there are too many, or no such kind.
        """
        check_choice("kind", kind, MatchKind, optional=False)
        checked = as_list("patterns", patterns)
        check_patterns(checked)
        return PatternFinder(self, checked, kind, bool(ignore_case))

    def find_many(
        self,
        texts: Iterable[str],
        patterns: Iterable[str],
        *,
        kind: MatchKind = "leftmost",
        ignore_case: bool = False,
    ) -> list[list[tuple[int, int, int]]]:
        """Find patterns in each string; see :meth:`finder` and :class:`PatternFinder`."""
        return self.finder(patterns, kind=kind, ignore_case=ignore_case).find_many(texts)

    def find(
        self, text: str, patterns: Iterable[str], **options: Any
    ) -> list[tuple[int, int, int]]:
        """Find patterns in one string; see :meth:`find_many`."""
        return self.find_many([text], patterns, **options)[0]

    def _answer(self, work: Callable[[TextCore], R]) -> R:
        """Let native code answer if there is any, and the twin where it fails."""
        native = self._native
        if native is None:
            return work(_TWIN)
        try:
            return work(native)
        except BaseException as error:
            if not _is_fault(error):
                raise
            self._manager.record_fault(COMPONENT, error)
            return work(_TWIN)

    def _on_trip(self) -> None:
        self._native = None
