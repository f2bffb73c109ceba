"""The Trader agent: a backtest of one strategy over one table of prices. Research only.

It never places an order, and it never leaves out the comparison with doing nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agentcore.agents.contract import Report
from agentcore.agents.inputs import MAX_TOTAL_CHARS, Inputs
from agentcore.agents.trader import plot
from agentcore.agents.trader.backtest import Costs, Result, Trade, simulate
from agentcore.agents.trader.prices import Prices, parse_csv
from agentcore.agents.trader.risk import figures
from agentcore.agents.trader.strategies import STRATEGIES
from agentcore.errors import InputError

__all__ = ["TraderAgent"]

_COMMON = {
    "csv": "the price table: date, open, high, low, close[, volume]; ISO dates, oldest first",
    "name": "what to call the table in messages (default prices.csv)",
    "strategy": "one of " + ", ".join(STRATEGIES) + " (default sma-cross)",
    "short": "whether to be short instead of out (default false)",
    "commission_bps": "commission in basis points of the traded value (default 5)",
    "slippage_bps": "slippage in basis points of the price (default 5)",
    "plot": "svg or png; left out: no plot",
}
_NOTICES = (
    "Research only: past prices say little about future ones. This is not investment advice.",
    "Fills at the next bar's open; dividends, taxes, borrowing costs and market impact left out.",
)


def _parameter_help() -> dict[str, str]:
    return {
        name: f"{strategy.name}: {spec.low:g} to {spec.high:g} (default {spec.default:g})"
        for strategy in STRATEGIES.values()
        for name, spec in strategy.parameters.items()
    }


class TraderAgent:
    """Backtests a strategy after costs, against buy-and-hold."""

    name = "trader"
    description = "backtests a trading strategy over a price table, with costs and risk figures"
    examples: Sequence[str] = (
        "backtest a moving average crossover on this price history",
        "how would a momentum strategy have done against buy and hold",
        "what are the Sharpe ratio and the maximum drawdown of this strategy",
        "test mean reversion on these stock prices with trading costs",
        "plot the equity curve of a trading strategy",
        "volatility and returns of this OHLCV data",
    )
    inputs: Mapping[str, str] = _COMMON | _parameter_help()

    def run(self, inputs: Mapping[str, Any]) -> Report:
        """Backtest; see ``inputs`` for what it takes."""
        given = Inputs(inputs, tuple(self.inputs))
        text = given.text("csv", limit=MAX_TOTAL_CHARS)
        strategy = STRATEGIES[given.choice("strategy", tuple(STRATEGIES), "sma-cross")]
        parameters: dict[str, float] = {}
        for name, spec in strategy.parameters.items():
            read = given.integer if spec.whole else given.number
            parameters[name] = read(name, spec.default, spec.low, spec.high)  # type: ignore[arg-type]
        for name in inputs:
            if name not in _COMMON and name not in strategy.parameters:
                takes = ", ".join(strategy.parameters)
                raise InputError(f"not taken by {strategy.name}", f"inputs.{name}", takes)
        costs = Costs(
            given.number("commission_bps", 5.0, 0.0, 1000.0),
            given.number("slippage_bps", 5.0, 0.0, 1000.0),
        )
        short = given.flag("short", False)
        kind = given.choice("plot", ("", *plot.FORMATS), "")
        prices = parse_csv(text, given.text("name", "prices.csv", limit=200))

        wanted = strategy.positions(prices.close, parameters)
        if short:
            wanted = np.where(wanted > 0, 1.0, -1.0)
            wanted[: _warm_up(parameters)] = 0.0
        result = simulate(prices, wanted, costs)
        hold = simulate(prices, np.ones(len(prices)), costs)

        label = ", ".join(f"{name} {value:g}" for name, value in parameters.items())
        data: dict[str, Any] = {
            "strategy": {"name": strategy.name, "parameters": parameters, "short": short},
            "costs": {"commission_bps": costs.commission_bps, "slippage_bps": costs.slippage_bps},
            "series": {
                "bars": len(prices),
                "first": prices.times[0].isoformat(),
                "last": prices.times[-1].isoformat(),
                "bars_per_year": round(prices.bars_per_year, 2),
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            },
            "result": _describe(prices, result),
            "buy_and_hold": _describe(prices, hold),
            "trades": [_trade(trade) for trade in result.trades[-200:]],
        }
        data["verdict"] = _verdict(data["result"], data["buy_and_hold"])
        if kind:
            picture = plot.draw(
                prices, result.held, result.equity, hold.equity, f"{strategy.name} ({label})", kind
            )
            data["plot"] = {"format": kind, "base64": base64.b64encode(picture).decode("ascii")}
        own, idle = data["result"]["total_return"], data["buy_and_hold"]["total_return"]
        summary = (
            f"{strategy.name} ({label}): {own:+.1%} after costs in {prices.years:.1f} years, "
            f"buy and hold {idle:+.1%}; {data['verdict']}"
        )
        return Report(self.name, summary, data, notices=_NOTICES)


def _warm_up(parameters: Mapping[str, float]) -> int:
    """Return the bars before a strategy can know anything: it must not be short by ignorance."""
    return int(max(parameters.get(name, 0) for name in ("slow", "lookback", "window"))) - 1


def _describe(prices: Prices, result: Result) -> dict[str, Any]:
    closed = [trade for trade in result.trades if trade.exit_time is not None]
    if result.ruined:
        described: dict[str, Any] = dict.fromkeys(
            ("volatility", "sharpe", "sharpe_interval_95", "sortino")
        )
        described |= {"total_return": -1.0, "cagr": -1.0, "max_drawdown": -1.0}
        described["max_drawdown_bars"] = len(prices)
    else:
        described = figures(result.equity, prices.bars_per_year, prices.years)
    described |= {
        "exposure": float(np.mean(result.held != 0)),
        "turnover_per_year": result.traded / float(result.equity.mean()) / prices.years,
        "costs_paid": result.costs,
        "trades": len(result.trades),
        "trades_won": sum(trade.profit > 0 for trade in closed),
        "trades_closed": len(closed),
        "ruined": result.ruined,
    }
    return described


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "side": "long" if trade.side > 0 else "short",
        "entry_time": trade.entry_time.isoformat(),
        "entry_price": trade.entry_price,
        "exit_time": trade.exit_time.isoformat() if trade.exit_time else None,
        "exit_price": trade.exit_price,
        "profit": trade.profit,
    }


def _verdict(own: Mapping[str, Any], idle: Mapping[str, Any]) -> str:
    interval = own["sharpe_interval_95"]
    if own["trades"] == 0:
        return "it never traded"
    if own["ruined"]:
        return "it lost everything"
    if own["total_return"] <= idle["total_return"] and (own["sharpe"] or 0) <= (
        idle["sharpe"] or 0
    ):
        return "no edge found: doing nothing paid more, also for the risk taken"
    if interval is None or interval[0] <= 0:
        return "no edge shown: its Sharpe ratio cannot be told from zero"
    if own["total_return"] <= idle["total_return"]:
        return "less return than buy and hold, but more for the risk taken"
    return "ahead of buy and hold in this sample"
