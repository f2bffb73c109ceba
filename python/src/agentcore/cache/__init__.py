"""Bounded caches: :class:`FastCacheManager` here, :class:`TieredCache` before a shared one.

The latter is loaded when it is first used: most programs share no cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore.cache.contract import CacheStats, Policy
from agentcore.cache.decorator import cached
from agentcore.cache.facade import FastCacheManager

if TYPE_CHECKING:
    from agentcore.cache.shared import TieredCache, TierStatus

__all__ = ["CacheStats", "FastCacheManager", "Policy", "TierStatus", "TieredCache", "cached"]


def __getattr__(name: str) -> Any:
    if name not in ("TierStatus", "TieredCache"):
        raise AttributeError(f"module 'agentcore.cache' has no attribute {name!r}")
    from agentcore.cache import shared

    return getattr(shared, name)
