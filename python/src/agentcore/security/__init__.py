"""Security: audits of a host and its containers, scans of the hosts that the team owns."""

from __future__ import annotations

from agentcore.security.facade import FastSecurityTools, OutOfScopeError

__all__ = ["FastSecurityTools", "OutOfScopeError"]
