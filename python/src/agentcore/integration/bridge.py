"""Bridge: what a native object calls when it faults, and gets its twin from.

A facade binds the methods of the implementation it was given, so a good call has no Python frame
of ours on its way. When native code panics, its border asks the bridge for the twin and lets that
answer, then and for the rest of the object's life.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentcore.integration.manager import Implementation, RustIntegrationManager

__all__ = ["TRIPPED", "Bridge", "NativeCallError"]

_ANOTHER = "another call"
TRIPPED = f"tripped by {_ANOTHER}"
"""The cause with which a facade lets its native object fall back when the component has tripped.

A cause that ends so tells of a fault that was counted where it happened; queues of one file, which
close together, say it too.
"""


class NativeCallError(RuntimeError):
    """Native code panicked; carries the panic's message."""


class Bridge:
    """Makes the twin when the native object asks for it. Knows neither of the two.

    Args:
        manager: who counts the faults.
        component: the native module's name.
        make_twin: makes the twin. It must not hold the facade, or neither is ever freed.
    """

    def __init__(
        self, manager: RustIntegrationManager, component: str, make_twin: Callable[[], Any]
    ) -> None:
        self._manager = manager
        self._component = component
        self._make_twin = make_twin
        self.crossed = False
        """Whether the twin answers."""
        self.twin: Any = None

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return "python" if self.crossed else "native"

    def __call__(self, cause: str) -> Any:
        """Count the fault, unless it was another object's, and return the twin.

        Raises:
            NativeUnavailableError: the component is required native.
        """
        self.crossed = True  # first: a component that trips tells this very object too
        if not cause.endswith(_ANOTHER):
            self._manager.record_fault(self._component, NativeCallError(cause))
        self.twin = self._make_twin()
        return self.twin
