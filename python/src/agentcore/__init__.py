"""AGENTCore: Developer, Trader and Lawyer agents with native hot paths and pure-Python twins.

The public names are loaded when they are first used, so that ``import agentcore`` stays cheap
and a command pays only for what it runs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentcore.cache import FastCacheManager
    from agentcore.core import AGENTCore
    from agentcore.http import AsyncFastHttpClient, FastHttpClient
    from agentcore.integration import RustIntegrationManager
    from agentcore.queue import FastTaskQueue
    from agentcore.text import FastStringProcessor

__version__ = "0.1.0"

__all__ = [
    "AGENTCore",
    "AsyncFastHttpClient",
    "FastCacheManager",
    "FastHttpClient",
    "FastStringProcessor",
    "FastTaskQueue",
    "RustIntegrationManager",
    "__version__",
]

_HOMES = {
    "AGENTCore": "agentcore.core",
    "AsyncFastHttpClient": "agentcore.http",
    "FastCacheManager": "agentcore.cache",
    "FastHttpClient": "agentcore.http",
    "FastStringProcessor": "agentcore.text",
    "FastTaskQueue": "agentcore.queue",
    "RustIntegrationManager": "agentcore.integration",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agentcore' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
