"""The Trader agent and its tools: prices, strategies, backtest, risk, plot."""

from __future__ import annotations

from agentcore.agents.trader.agent import TraderAgent

__all__ = ["TraderAgent"]
