"""Draws a backtest: price with the time in the market, equity against buy-and-hold, drawdown.

Matplotlib is imported here alone and only when a plot is asked for: it takes most of a second
and writes a font cache, which goes to a temporary folder because the image is read-only.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentcore.agents.trader.prices import Prices
from agentcore.agents.trader.risk import drawdowns
from agentcore.errors import AgentCoreError

__all__ = ["FORMATS", "draw"]

FORMATS = ("svg", "png")
_drawing = threading.Lock()  # matplotlib's font and text caches are not safe across threads


def draw(
    prices: Prices,
    held: NDArray[np.float64],
    equity: NDArray[np.float64],
    reference: NDArray[np.float64],
    title: str,
    kind: str,
) -> bytes:
    """Return the picture as ``svg`` or ``png`` bytes; the same input gives the same SVG.

    Raises:
        AgentCoreError: matplotlib is not installed.
    """
    with _drawing:
        cache = Path(tempfile.gettempdir()) / f"agentcore-matplotlib-{os.getuid()}"
        os.environ.setdefault("MPLCONFIGDIR", str(cache))
        try:
            from matplotlib import rc_context
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise AgentCoreError(
                f"cannot draw: {error}", "inputs.plot", "the package's extra: agentcore[plot]"
            ) from error
        with rc_context({"svg.hashsalt": "agentcore", "svg.fonttype": "none", "font.size": 9}):
            figure = Figure(figsize=(9, 7), layout="constrained")
            FigureCanvasAgg(figure)
            top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[3, 3, 1.5])
            times = np.array([int(time.timestamp()) for time in prices.times], "datetime64[s]")
            top.plot(times, prices.close, color="#333333", linewidth=0.8)
            low, high = float(prices.low.min()), float(prices.high.max())
            top.fill_between(
                times,
                low,
                high,
                where=(held > 0).tolist(),
                alpha=0.15,
                color="#1a7f37",
                step="post",
                linewidth=0,
            )
            top.fill_between(
                times,
                low,
                high,
                where=(held < 0).tolist(),
                alpha=0.15,
                color="#b3261e",
                step="post",
                linewidth=0,
            )
            top.set_ylabel("close; shaded: in the market")
            top.set_title(title)
            middle.plot(
                times, equity, color="#0b57d0", linewidth=1.1, label="strategy, after costs"
            )
            middle.plot(times, reference, color="#999999", linewidth=0.9, label="buy and hold")
            middle.set_ylabel("equity, start = 1")
            middle.legend(loc="upper left", frameon=False)
            bottom.fill_between(times, drawdowns(equity) * 100, 0, color="#b3261e", alpha=0.4)
            bottom.plot(times, drawdowns(reference) * 100, color="#999999", linewidth=0.7)
            bottom.set_ylabel("drawdown, %")
            for axes in (top, middle, bottom):
                axes.grid(alpha=0.25)
                axes.spines[["top", "right"]].set_visible(False)
            out = io.BytesIO()
            figure.savefig(
                out, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else {}
            )
    return out.getvalue()
