"""The Developer agent and its tools: secrets, dependencies, complexity, the tree, SARIF."""

from __future__ import annotations

from agentcore.agents.developer.agent import DeveloperAgent

__all__ = ["DeveloperAgent"]
