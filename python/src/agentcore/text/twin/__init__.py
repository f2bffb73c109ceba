"""The text operations in pure Python: the reference that the native ones must equal."""

from __future__ import annotations

from agentcore.text.twin.core import Expression, Plan, Text
from agentcore.text.twin.find import Matcher

__all__ = ["Expression", "Matcher", "Plan", "Text"]
