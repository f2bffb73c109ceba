"""No strategy looks ahead: cutting the series changes no earlier position, at any length."""

from __future__ import annotations

import numpy as np
import pytest

from agentcore.agents.trader.prices import parse_csv
from agentcore.agents.trader.strategies import STRATEGIES, Strategy, rolling_mean, rolling_std

from .conftest import make_csv


def small(strategy: Strategy) -> dict[str, float]:
    """Return parameters small enough to trade often."""
    values = {"fast": 3.0, "slow": 8.0, "lookback": 5.0, "window": 6.0, "entry": 1.0}
    return {name: values[name] for name in strategy.parameters}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_position_depends_on_no_later_bar(name: str) -> None:
    strategy = STRATEGIES[name]
    close = parse_csv(make_csv(160)).close
    whole = strategy.positions(close, small(strategy))
    assert 0 < whole.mean() < 1  # it does something, or the test would be empty
    for length in range(1, len(close) + 1):
        cut = strategy.positions(close[:length], small(strategy))
        assert np.array_equal(cut, whole[:length]), f"bar {length - 1} knew the future"


def test_the_look_ahead_test_can_fail() -> None:
    close = parse_csv(make_csv(60)).close
    peeking = np.roll(close, -1) > close
    assert not np.array_equal((np.roll(close[:30], -1) > close[:30]), peeking[:30])


@pytest.mark.parametrize("window", [1, 2, 7, 40, 41])
def test_rolling_figures(window: int) -> None:
    values = np.random.default_rng(1).normal(100, 5, 40)
    for got, of in ((rolling_mean(values, window), np.mean), (rolling_std(values, window), np.std)):
        for bar in range(40):
            if bar < window - 1:
                assert np.isnan(got[bar])
            else:
                want = of(values[bar - window + 1 : bar + 1])
                assert got[bar] == pytest.approx(want, rel=1e-12, abs=1e-12)
