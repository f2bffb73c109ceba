"""Prompts go to the agent they fit; what fits none is asked back. The prompts are not examples."""

from __future__ import annotations

import pytest

from agentcore.core import AGENTCore
from agentcore.errors import AgentCoreError, InputError
from agentcore.integration import RustIntegrationManager
from agentcore.settings import NativeMode, Settings

ROUTED = [
    ("developer", "did anyone commit a password to our repository?"),
    ("developer", "scan this source tree for API keys"),
    ("developer", "are there unpinned dependencies in my pyproject?"),
    ("developer", "show me the most complex Python functions"),
    ("trader", "backtest momentum on these prices"),
    ("trader", "what would a moving average strategy have returned after costs?"),
    ("trader", "compute the Sharpe ratio and drawdown for this price series"),
    ("trader", "does mean reversion beat buy and hold on this stock?"),
    ("lawyer", "which parties signed this agreement?"),
    ("lawyer", "does the contract limit liability?"),
    ("lawyer", "which license does this text belong to?"),
    ("lawyer", "remove e-mail addresses and phone numbers from this letter"),
]
UNRELATED = ["hello", "what is the weather in Lisbon", "tell me a joke about cats", "do it", "?!"]


@pytest.fixture(scope="module")
def core() -> AGENTCore:
    return AGENTCore(RustIntegrationManager(Settings(native=NativeMode.OFF)))


@pytest.mark.parametrize(("agent", "prompt"), ROUTED)
def test_routed(core: AGENTCore, agent: str, prompt: str) -> None:
    route = core.route(prompt)
    assert route.agent == agent, route
    assert route.question == ""


@pytest.mark.parametrize("prompt", UNRELATED)
def test_asked_back(core: AGENTCore, prompt: str) -> None:
    route = core.route(prompt)
    assert route.agent == "", route
    assert all(name in route.question for name in core.agents)


def test_no_prompt(core: AGENTCore) -> None:
    with pytest.raises(InputError, match="prompt"):
        core.route("  ")


def test_without_a_model_nothing_is_routed() -> None:
    off = AGENTCore(RustIntegrationManager(Settings(native=NativeMode.OFF)), use_model=False)
    with pytest.raises(AgentCoreError, match="model is off"):
        off.route("scan my code")
    assert off.model_status().state == "off"
    assert off.run("developer", {"files": [{"path": "a", "content": ""}]}).report
