"""The agents: each does one real thing with plain functions and no language model.

``contract`` says what an agent is and what it hands back; ``inputs`` checks what it is given.
See the README of this folder to add an agent or a tool.
"""

from __future__ import annotations

from agentcore.agents.contract import Agent, Finding, Report, Severity

__all__ = ["Agent", "Finding", "Report", "Severity"]
