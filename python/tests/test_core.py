"""AGENTCore used as a library."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agentcore import AGENTCore
from agentcore.errors import InputError, NotFoundError
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"


@pytest.fixture
def core(manager: RustIntegrationManager) -> AGENTCore:
    return AGENTCore(manager)


def test_agents(core: AGENTCore) -> None:
    assert list(core.agents) == ["developer", "lawyer", "trader"]
    for agent in core.agents.values():
        assert len(agent.examples) >= 2
        assert agent.inputs
    with pytest.raises(NotFoundError, match="developer, lawyer, trader, auto"):
        core.agent("plumber")


def test_run_by_name_and_by_prompt(core: AGENTCore) -> None:
    files = {"files": [{"path": "a.py", "content": "x = 1\n"}]}
    assert core.run("developer", files).to_dict()["status"] == "succeeded"
    outcome = core.run("auto", files, "check this code for secrets")
    assert outcome.agent == "developer"
    assert core.run("auto", files, "hello").report is None


def test_search_refuses_nonsense(core: AGENTCore) -> None:
    with pytest.raises(InputError):
        core.search("", [("a", "b")])
    with pytest.raises(InputError):
        core.search("x", [("a", "b")], limit=0)


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, agentcore; agentcore.__version__;"
        "heavy = {'numpy', 'tokenizers', 'matplotlib', 'starlette'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
