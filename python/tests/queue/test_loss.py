"""The short version of the loss test; ``python -m tests.queue.loss`` is the whole of it."""

from __future__ import annotations

import os

import pytest

from agentcore.settings import Settings
from tests.queue.loss import main


@pytest.mark.slow
@pytest.mark.timeout(600 * 10)
def test_nothing_is_lost_when_processes_are_killed(capsys: pytest.CaptureFixture[str]) -> None:
    rounds = os.environ.get("AGENTCORE_LOSS_ROUNDS", "12")
    from agentcore.integration import RustIntegrationManager

    manager = RustIntegrationManager(Settings(lib_dir=Settings.from_env().lib_dir))
    absent = manager.component_status("agent_core_utils").state == "absent"
    status = main(["--rounds", rounds, *(["--python-only"] if absent else [])])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "0 violations" in told
