"""Fills, costs and risk figures, by arithmetic done by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentcore.agents.trader.backtest import Costs, simulate
from agentcore.agents.trader.prices import Prices
from agentcore.agents.trader.risk import drawdowns, figures

FREE = Costs(0, 0)


def series(opens: list[float], closes: list[float]) -> Prices:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    times = tuple(start + timedelta(days=i) for i in range(len(opens)))
    o, c = np.array(opens), np.array(closes)
    return Prices(times, o, np.maximum(o, c), np.minimum(o, c), c, np.zeros(len(o)))


def test_a_signal_is_filled_at_the_next_open() -> None:
    prices = series([10, 20, 30, 40], [11, 21, 31, 41])
    result = simulate(prices, np.array([1.0, 1, 0, 0]), FREE)
    # bought at 20 (open of bar 1), sold at 40 (open of bar 3)
    assert result.equity.tolist() == pytest.approx([1, 21 / 20, 31 / 20, 2])
    assert result.held.tolist() == [0, 1, 1, 0]
    (trade,) = result.trades
    assert (trade.entry_price, trade.exit_price) == (20, 40)
    assert trade.profit == pytest.approx(1.0)


def test_costs_are_charged_on_every_fill() -> None:
    prices = series([100, 100, 100, 100], [100, 100, 100, 100])
    result = simulate(prices, np.array([1.0, 0, 0, 0]), Costs(10, 20))
    buy, sell, rate = 100 * 1.002, 100 * 0.998, 0.001
    shares = 1 / (1 + rate) / buy
    assert result.equity[-1] == pytest.approx(shares * sell * (1 - rate))
    assert 1 - result.equity[-1] == pytest.approx(result.costs, rel=1e-9)


def test_a_short_gains_when_the_price_falls_and_can_ruin() -> None:
    falling = simulate(series([100, 100, 50], [100, 80, 50]), np.array([-1.0, -1, -1]), FREE)
    assert falling.equity.tolist() == pytest.approx([1, 1.2, 1.5])
    rising = simulate(series([100, 100, 250], [100, 100, 250]), np.array([-1.0, -1, -1]), FREE)
    assert rising.ruined
    assert rising.equity[-1] == 0


def test_the_last_signal_is_never_filled() -> None:
    result = simulate(series([1, 2, 3], [1, 2, 3]), np.array([0.0, 0, 1]), FREE)
    assert result.trades == ()
    assert result.equity.tolist() == [1, 1, 1]


def test_a_reversal_closes_and_opens() -> None:
    result = simulate(series([10, 10, 20, 20], [10, 10, 20, 10]), np.array([1.0, -1, -1, -1]), FREE)
    assert [trade.side for trade in result.trades] == [1, -1]
    assert result.equity[-1] == pytest.approx(2 * 1.5)


def test_figures_by_their_formulas() -> None:
    equity = np.array([1.0, 1.1, 0.99, 1.2])
    got = figures(equity, bars_per_year=252, years=2)
    returns = np.array([0.1, -0.1, 1.2 / 0.99 - 1])
    assert got["total_return"] == pytest.approx(0.2)
    assert got["cagr"] == pytest.approx(math.sqrt(1.2) - 1)
    assert got["volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(252))
    assert got["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252))
    downside = math.sqrt(0.1**2 / 3)
    assert got["sortino"] == pytest.approx(returns.mean() / downside * math.sqrt(252))
    assert got["max_drawdown"] == pytest.approx(-0.1)
    assert got["max_drawdown_bars"] == 1
    low, high = got["sharpe_interval_95"]
    assert low < got["sharpe"] < high


def test_a_flat_curve_has_no_ratio() -> None:
    got = figures(np.ones(50), 252, 1)
    assert got["sharpe"] is None
    assert got["sortino"] is None
    assert got["max_drawdown"] == 0
    assert drawdowns(np.array([1.0, 2, 1])).tolist() == [0, 0, -0.5]
