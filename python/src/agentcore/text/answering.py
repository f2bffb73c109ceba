"""What the facades of text share: who answers, and what happens when native code faults.

A facade binds the methods of the implementation it was given, so a good call of
a hot method has no Python frame of ours on its way. When native code panics, it
asks the bridge for a twin and lets that answer, then and from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from agentcore.integration import (
    TRIPPED,
    Bridge,
    Implementation,
    RustIntegrationManager,
    is_native_panic,
)

__all__ = ["COMPONENT", "Answering"]

COMPONENT = "agent_core_utils"


class Answering:
    """Something that a native object answers for, or its twin.

    Args:
        manager: who chooses the implementation.
        native: makes the native object of the module and the bridge.
        twin: makes the twin.
    """

    HOT: ClassVar[tuple[str, ...]] = ()
    """The methods that are bound from the implementation."""

    def __init__(
        self,
        manager: RustIntegrationManager,
        native: Callable[[Any, Callable[[str], Any]], Any],
        twin: Callable[[], Any],
    ) -> None:
        self._manager = manager
        self._bridge = Bridge(manager, COMPONENT, twin)
        module = manager.native(COMPONENT)
        self._core: Any
        if module is None:
            self._bridge.crossed = True
            self._core = twin()
        else:
            self._core = self._made(module, native)
        # Instance attributes shadow the documented methods: one frame less a call.
        for hot in self.HOT:
            setattr(self, hot, getattr(self._core, hot))

    def _made(self, module: ModuleType, native: Callable[[Any, Any], Any]) -> Any:
        try:
            core = native(module, self._bridge)
        except BaseException as error:
            if not is_native_panic(error):
                raise
            return self._bridge(f"panic: {error}")
        self._manager.on_trip(COMPONENT, self._on_trip)
        return core

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return self._bridge.implementation

    def _on_trip(self) -> None:
        if not self._bridge.crossed:
            self._core.fall_back(TRIPPED)
