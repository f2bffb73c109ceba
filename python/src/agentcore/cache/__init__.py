"""Bounded in-process caches: :class:`FastCacheManager`, native where it can be."""

from __future__ import annotations

from agentcore.cache.contract import CacheStats, Policy
from agentcore.cache.decorator import cached
from agentcore.cache.facade import FastCacheManager

__all__ = ["CacheStats", "FastCacheManager", "Policy", "cached"]
