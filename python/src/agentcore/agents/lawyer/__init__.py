"""The Lawyer agent and its tools: quotes, clauses, extracts, playbook, licenses, redaction.

Not legal advice, and every report says so.
"""

from __future__ import annotations

from agentcore.agents.lawyer.agent import LawyerAgent

__all__ = ["LawyerAgent"]
