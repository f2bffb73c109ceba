"""The Trader agent: whole reports, the honest verdict, look-ahead end to end, and the plot."""

from __future__ import annotations

import base64
import json
import re
import sys
from typing import Any

import pytest

from agentcore.agents.trader import TraderAgent
from agentcore.errors import InputError

from .conftest import make_csv


def run(csv: str, **inputs: Any) -> dict[str, Any]:
    return json.loads(json.dumps(TraderAgent().run({"csv": csv, **inputs}).to_dict()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("strategy", ["sma-cross", "momentum", "mean-reversion"])
def test_trades_made_before_a_cut_are_the_same_without_what_came_after(strategy: str) -> None:
    text = make_csv(600)
    lines = text.splitlines(keepends=True)
    whole = run(text, strategy=strategy)["data"]["trades"]
    for bars in (300, 450, 599):
        cut = run("".join(lines[: bars + 1]), strategy=strategy)["data"]["trades"]
        closed = [trade for trade in cut if trade["exit_time"]]
        assert closed == whole[: len(closed)]


def test_costs_only_ever_cost(csv_text: str) -> None:
    free = run(csv_text, commission_bps=0, slippage_bps=0)["data"]["result"]
    paid = run(csv_text, commission_bps=50)["data"]["result"]
    assert free["costs_paid"] == 0
    assert paid["total_return"] < free["total_return"]


def test_noise_shows_no_edge() -> None:
    for seed in range(5):
        report = run(make_csv(800, seed=seed, drift=0), strategy="momentum", lookback=20)
        assert re.search("no edge|less return", report["data"]["verdict"])


def test_buy_and_hold_is_always_there_and_notices_too(csv_text: str) -> None:
    report = run(csv_text)
    assert report["data"]["buy_and_hold"]["trades"] == 1
    assert "not investment advice" in report["notices"][0]


def test_short_waits_until_the_strategy_knows_something(csv_text: str) -> None:
    report = run(csv_text, short=True, fast=5, slow=40)
    first = report["data"]["trades"][0]["entry_time"]
    assert first > csv_text.splitlines()[40].split(",")[0]
    assert {trade["side"] for trade in report["data"]["trades"]} == {"long", "short"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "inputs.csv"),
        ({"strategy": "magic"}, "sma-cross, momentum, mean-reversion"),
        ({"fast": 60}, "fast smaller than slow"),
        ({"fast": 2.5}, "whole number"),
        ({"lookback": 5}, "not taken by sma-cross"),
        ({"commission_bps": -1}, "from 0 to 1000"),
        ({"plot": "gif"}, "svg, png"),
    ],
)
def test_bad_inputs(csv_text: str, inputs: dict[str, Any], message: str) -> None:
    given = inputs if not inputs else {"csv": csv_text, **inputs}
    with pytest.raises(InputError, match=re.escape(message)):
        TraderAgent().run(given)


def test_the_plot_is_a_picture_and_the_same_each_time(csv_text: str) -> None:
    pytest.importorskip("matplotlib")
    first, second = (
        base64.b64decode(run(csv_text, plot="svg")["data"]["plot"]["base64"]) for _ in "ab"
    )
    assert b"<svg" in first[:400]
    assert first == second
    png = base64.b64decode(run(csv_text, plot="png")["data"]["plot"]["base64"])
    assert png.startswith(b"\x89PNG")


def test_matplotlib_is_not_loaded_without_a_plot() -> None:
    import subprocess

    code = (
        "import sys; from agentcore.agents.trader import TraderAgent;"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
