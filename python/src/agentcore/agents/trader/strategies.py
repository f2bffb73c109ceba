"""The strategies: each turns the closes known so far into a wanted position per bar.

The position at bar ``t`` may use the closes up to and including ``t`` and nothing later; it is
filled at the open of ``t + 1``. A test cuts the series at every length and checks that no
earlier position changes. To add a strategy, write a function and register it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentcore.errors import InputError

__all__ = ["STRATEGIES", "Parameter", "Strategy", "rolling_mean"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """One number that a strategy takes; whole numbers are counts of bars."""

    default: float
    low: float
    high: float
    whole: bool = True


@dataclass(frozen=True)
class Strategy:
    """A named rule.

    Attributes:
        name: as it is called on the command line.
        description: what it does, in one sentence.
        parameters: what it can be told.
        positions: closes and parameters to the wanted position per bar: 1 long, 0 out, -1 short.
    """

    name: str
    description: str
    parameters: Mapping[str, Parameter]
    positions: Callable[[Floats, Mapping[str, float]], Floats]


STRATEGIES: dict[str, Strategy] = {}


def register(strategy: Strategy) -> None:
    """Make a strategy known by its name."""
    STRATEGIES[strategy.name] = strategy


def rolling_mean(values: Floats, window: int) -> Floats:
    """Return the mean of the last ``window`` values at each bar; NaN before there are enough.

    The terms are added in the same order whatever the length of the series, so that a bar's
    mean is the same to the last bit when later bars are taken away.
    """
    return _rolling_sum(values, window, lambda term: term) / window


def rolling_std(values: Floats, window: int) -> Floats:
    """Return the population standard deviation of the last ``window`` values at each bar."""
    mean = rolling_mean(values, window)[window - 1 :]
    return np.sqrt(_rolling_sum(values, window, lambda term: (term - mean) ** 2) / window)


def _rolling_sum(values: Floats, window: int, of: Callable[[Floats], Floats]) -> Floats:
    out = np.full(len(values), np.nan)
    count = len(values) - window + 1
    if count > 0:
        total = np.zeros(count)
        for offset in range(window):
            total += of(values[offset : offset + count])
        out[window - 1 :] = total
    return out


def _sma_cross(close: Floats, parameters: Mapping[str, float]) -> Floats:
    fast, slow = int(parameters["fast"]), int(parameters["slow"])
    if fast >= slow:
        raise InputError(f"fast {fast}, slow {slow}", "inputs.fast", "fast smaller than slow")
    above = rolling_mean(close, fast) > rolling_mean(close, slow)  # False while either is NaN
    return above.astype(np.float64)


def _momentum(close: Floats, parameters: Mapping[str, float]) -> Floats:
    lookback = int(parameters["lookback"])
    out = np.zeros(len(close))
    out[lookback:] = close[lookback:] > close[:-lookback]
    return out


def _mean_reversion(close: Floats, parameters: Mapping[str, float]) -> Floats:
    window, entry = int(parameters["window"]), parameters["entry"]
    deviation = rolling_std(close, window)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = (close - rolling_mean(close, window)) / deviation
    out = np.zeros(len(close))
    holding = 0.0
    for bar, value in enumerate(score):
        if value < -entry:
            holding = 1.0
        elif value >= 0:
            holding = 0.0
        out[bar] = holding
    return out


register(
    Strategy(
        "sma-cross",
        "long while the fast simple moving average is above the slow one",
        {"fast": Parameter(20, 1, 1000), "slow": Parameter(50, 2, 2000)},
        _sma_cross,
    )
)
register(
    Strategy(
        "momentum",
        "long while the close is above the close `lookback` bars ago",
        {"lookback": Parameter(126, 1, 2000)},
        _momentum,
    )
)
register(
    Strategy(
        "mean-reversion",
        "buy `entry` standard deviations below the mean of `window` bars, sell at the mean",
        {"window": Parameter(20, 2, 1000), "entry": Parameter(1.5, 0.1, 10, whole=False)},
        _mean_reversion,
    )
)
