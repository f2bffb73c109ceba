"""The only room that names a native module: it finds, proves, loads and watches them.

Capabilities ask :func:`default_manager` for their native module and get either
the loaded, self-tested module or ``None``, which means: answer from the twin.
"""

from __future__ import annotations

from agentcore.integration.bridge import TRIPPED, Bridge, NativeCallError
from agentcore.integration.manager import (
    COMPONENTS,
    ComponentStatus,
    Implementation,
    RustIntegrationManager,
    default_manager,
    is_native_panic,
)

__all__ = [
    "COMPONENTS",
    "TRIPPED",
    "Bridge",
    "ComponentStatus",
    "Implementation",
    "NativeCallError",
    "RustIntegrationManager",
    "default_manager",
    "is_native_panic",
]
