"""Risk figures of an equity curve, each by its textbook formula.

Returns are simple returns per bar; the risk-free rate is zero unless said otherwise. A figure
that cannot be computed (no variation, ruin) is None, never an invented number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawdowns", "figures"]

Floats = NDArray[np.float64]


def drawdowns(equity: Floats) -> Floats:
    """Return, per bar, the loss from the highest equity so far, as a fraction from 0 down to -1."""
    peak: Floats = np.maximum.accumulate(equity)
    return equity / peak - 1.0


def figures(equity: Floats, bars_per_year: float, years: float) -> dict[str, Any]:
    """Return the figures of one equity curve.

    Args:
        equity: value at the close of each bar, above zero.
        bars_per_year: mean number of bars in a year.
        years: length of the curve.

    Returns:
        ``total_return``, ``cagr``, ``volatility`` (annual, sample deviation), ``sharpe`` with
        ``sharpe_interval_95`` (Lo 2002: standard error sqrt((1 + S^2/2)/n) of the Sharpe ratio S
        per bar, independent returns), ``sortino`` (downside deviation around 0 over all bars),
        ``max_drawdown`` (a fraction, negative) and ``max_drawdown_bars`` (the longest time under
        water).
    """
    returns = equity[1:] / equity[:-1] - 1.0
    total = float(equity[-1] / equity[0] - 1.0)
    scale = math.sqrt(bars_per_year)
    deviation = float(returns.std(ddof=1))
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    mean = float(returns.mean())
    under = drawdowns(equity)
    result: dict[str, Any] = {
        "total_return": total,
        "cagr": (1.0 + total) ** (1.0 / years) - 1.0 if total > -1.0 else None,
        "volatility": deviation * scale,
        "sharpe": None,
        "sharpe_interval_95": None,
        "sortino": mean / downside * scale if downside > 0 else None,
        "max_drawdown": float(under.min()),
        "max_drawdown_bars": _longest_run(under < 0),
    }
    if deviation > 0:
        sharpe = mean / deviation
        error = 1.96 * math.sqrt((1.0 + sharpe * sharpe / 2.0) / len(returns))
        result["sharpe"] = sharpe * scale
        result["sharpe_interval_95"] = [(sharpe - error) * scale, (sharpe + error) * scale]
    return result


def _longest_run(under: NDArray[np.bool_]) -> int:
    longest = run = 0
    for value in under:
        run = run + 1 if value else 0
        longest = max(longest, run)
    return longest
