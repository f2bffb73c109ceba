"""Price series that the tests share: made here, by fixed seeds."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest


def make_csv(count: int = 400, seed: int = 7, drift: float = 0.0003) -> str:
    """Return a random walk as an OHLCV table of business days."""
    random = np.random.default_rng(seed)
    rows, price, day = ["Date,Open,High,Low,Close,Volume"], 100.0, date(2015, 1, 1)
    for _ in range(count):
        start = price * (1 + random.normal(0, 0.003))
        close = start * (1 + random.normal(drift, 0.012))
        high, low = max(start, close) * 1.002, min(start, close) * 0.998
        rows.append(f"{day},{start!r},{high!r},{low!r},{close!r},1000".replace("np.float64", ""))
        rows[-1] = rows[-1].replace("(", "").replace(")", "")
        price, day = close, day + timedelta(days=1 if day.weekday() < 4 else 3)
    return "\n".join(rows) + "\n"


@pytest.fixture
def csv_text() -> str:
    return make_csv()
