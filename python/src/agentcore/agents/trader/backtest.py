"""Trades a wanted position over a series of bars, paying for every trade.

The position wanted at the close of a bar is filled at the open of the next one: nobody trades
at a close that they have just read. A fill moves the price against us by the slippage, and the
commission is charged on the traded value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agentcore.agents.trader.prices import Prices

__all__ = ["Costs", "Result", "Trade", "simulate"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """What a trade costs, in basis points (1/10,000) of the traded value."""

    commission_bps: float = 5.0
    slippage_bps: float = 5.0


@dataclass(frozen=True)
class Trade:
    """One round trip; still open when ``exit_time`` is None, then marked at the last close."""

    side: int
    entry_time: datetime
    entry_price: float
    exit_time: datetime | None
    exit_price: float
    profit: float


@dataclass(frozen=True)
class Result:
    """What a simulation gives.

    Attributes:
        equity: cash plus position at the close of each bar, starting from 1.0.
        held: the position during each bar, after its open: 1 long, 0 out, -1 short.
        traded: sum of the values of all fills, in units of the starting equity.
        costs: what commission and slippage took together, in the same units.
        trades: the round trips in order.
        ruined: whether the equity reached zero; the simulation stops there.
    """

    equity: Floats
    held: Floats
    traded: float
    costs: float
    trades: tuple[Trade, ...]
    ruined: bool


def simulate(prices: Prices, wanted: Floats, costs: Costs) -> Result:
    """Trade ``wanted`` (1, 0 or -1 per bar, as of its close) over ``prices``.

    A change of the wanted position closes what is held and puts all the equity into the new
    position; between changes the number of shares is left alone.
    """
    commission, slip = costs.commission_bps / 1e4, costs.slippage_bps / 1e4
    count = len(prices)
    equity, held = np.ones(count), np.zeros(count)
    cash, shares, traded, paid = 1.0, 0.0, 0.0, 0.0
    side, entry_bar, entry_price, entry_equity = 0, 0, 0.0, 1.0
    trades: list[Trade] = []
    ruined = False
    for bar in range(count):
        target = int(wanted[bar - 1]) if bar else 0
        if target != side:
            start = float(prices.open[bar])
            if side:
                price = start * (1 - slip * side)
                value = abs(shares) * price
                cash += shares * price - value * commission
                traded += value
                paid += value * commission + abs(shares) * start * slip
                trades.append(
                    Trade(
                        side,
                        prices.times[entry_bar],
                        entry_price,
                        prices.times[bar],
                        price,
                        cash / entry_equity - 1.0,
                    )
                )
                shares, side = 0.0, 0
            if target and cash > 0:
                price = start * (1 + slip * target)
                value = cash / (1 + commission)  # so that value and commission use up the cash
                shares = target * value / price
                entry_bar, entry_price, entry_equity = bar, price, cash
                cash -= shares * price + value * commission
                traded += value
                paid += value * commission + abs(shares) * start * slip
                side = target
        equity[bar] = cash + shares * float(prices.close[bar])
        held[bar] = side
        if equity[bar] <= 0:  # a short that lost everything
            equity[bar:] = 0.0
            ruined = True
            break
    if side:
        last = float(prices.close[-1])
        profit = float(equity[-1]) / entry_equity - 1.0
        trades.append(Trade(side, prices.times[entry_bar], entry_price, None, last, profit))
    return Result(equity, held, traded, paid, tuple(trades), ruined)
