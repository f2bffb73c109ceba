"""Self-test vectors: what a component must answer before it is trusted.

Each component has one module here, named like its native module, which exports
``VECTORS: tuple[Vector, ...]``. The same vectors run against the native module
(in a child process, before the service loads it) and against the Python twin
(by ``agentcore doctor`` and by the tests), so ``expected`` is always a literal:
a vector that computes its own expectation proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Vector"]


@dataclass(frozen=True, slots=True)
class Vector:
    """One question with its only right answer.

    ``run`` gets a namespace that has the component's public surface: the native
    module, or the twin's namespace with the same names. It must be quick
    (milliseconds), touch no network and no file outside its own temporary
    folder, and return a value that compares equal to ``expected``.
    """

    name: str
    run: Callable[[Any], object]
    expected: object
