"""The child process that tries a native module first, so that a bad one kills only the child.

Run by :mod:`agentcore.integration.isolation` as
``python -P -m agentcore.integration.probe MODULE FILE VERSION DEADLINE``. It writes one JSON
object a line: before each step the step's name, so that the parent can say what
was going on when the child died, and at the end the verdict.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
from types import ModuleType
from typing import Any, NamedTuple

from agentcore.integration.locate import import_native
from agentcore.integration.selftests import Vector

__all__ = ["Verdict", "check_version", "main", "run_vectors", "untestable", "vectors_of"]


class Verdict(NamedTuple):
    """What was found out about a module: a state of the contract, and why."""

    state: str
    reason: str = ""
    version: str = ""


def vectors_of(module: str) -> tuple[Vector, ...]:
    """Return the self-test of ``module``.

    Raises:
        ModuleNotFoundError: the component has no self-test, so it can't be trusted.
    """
    found = importlib.import_module(f"agentcore.integration.selftests.{module}")
    vectors: tuple[Vector, ...] = found.VECTORS
    return vectors


def untestable(error: Exception) -> Verdict:
    """Return the verdict on a module whose self-test can't be had."""
    return Verdict("broken", f"its self-test can't be loaded: {type(error).__name__}: {error}")


def check_version(native: ModuleType, expected: str) -> Verdict | None:
    """Return a verdict if the module is of another version than the package."""
    version = getattr(native, "__version__", None)
    if version is None:
        return Verdict("broken", "it has no __version__")
    if version != expected:
        return Verdict(
            "broken", f"it is version {version}, this package is {expected}", str(version)
        )
    return None


def run_vector(vector: Vector, namespace: Any) -> str:
    """Return why the answer to ``vector`` is wrong, or an empty string."""
    try:
        answer = vector.run(namespace)
        if answer == vector.expected:
            return ""
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic is a wrong answer too
        return f"self-test {vector.name!r} raised {type(error).__name__}: {error}"
    return f"self-test {vector.name!r} answered {_short(answer)}, not {_short(vector.expected)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def run_vectors(module: str, namespace: Any) -> list[tuple[str, str]]:
    """Run the whole self-test; return ``(vector name, "" or what went wrong)`` for each."""
    return [(vector.name, run_vector(vector, namespace)) for vector in vectors_of(module)]


def main(argv: list[str]) -> int:
    """Import and self-test one module, reporting each step on the original stdout."""
    module, file, expected, deadline = argv
    # Whatever the module prints must not be read as our report.
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # If the parent dies before it can kill us, the kernel does: no orphan hangs for ever.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(float(deadline)) + 5)

    def say(**line: object) -> None:
        report.write(json.dumps(line) + "\n")
        report.flush()

    def conclude(verdict: Verdict) -> int:
        say(verdict=verdict)
        return 0

    try:
        vectors = vectors_of(module)
    except Exception as error:  # noqa: BLE001 - what can't be tested is not trusted
        return conclude(untestable(error))
    say(step="importing")
    try:
        native = import_native(module, file)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - any failure is what we came for
        return conclude(Verdict("broken", f"{type(error).__name__}: {error}"))
    mismatch = check_version(native, expected)
    if mismatch is not None:
        return conclude(mismatch)
    for vector in vectors:
        say(step=f"self-test {vector.name!r}")
        wrong = run_vector(vector, native)
        if wrong:
            return conclude(Verdict("self_test_failed", wrong, expected))
    return conclude(Verdict("native", "", expected))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
