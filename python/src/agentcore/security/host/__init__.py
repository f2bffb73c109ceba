"""One look at a host through its mounted trees: what the checks ask, read once and kept."""

from __future__ import annotations

from agentcore.security.host.tree import Host, Root, UnreadableError

__all__ = ["Host", "Root", "UnreadableError"]
