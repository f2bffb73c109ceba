"""What ``agent_core_utils`` must answer, one module a capability."""

from __future__ import annotations

from agentcore.integration.selftests import Vector
from agentcore.integration.selftests.agent_core_utils import cache, http, queue, text

__all__ = ["VECTORS"]

VECTORS: tuple[Vector, ...] = (*cache.VECTORS, *http.VECTORS, *queue.VECTORS, *text.VECTORS)
