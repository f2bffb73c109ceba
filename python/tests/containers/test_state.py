"""The records of the orchestrator: whole, private, and shared between the implementations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentcore.containers.contract import EngineError
from agentcore.containers.state import StateDir


def test_previous_is_what_was_in_force_before(tmp_path: Path) -> None:
    state = StateDir(str(tmp_path / "new"))
    with state.locked("p"):
        assert state.read("p") == {"current": None, "previous": None}
        for record in ({"n": 1}, {"n": 2}, {"n": 2}):
            state.applied("p", record)
        assert state.read("p") == {"current": {"n": 2}, "previous": {"n": 1}}
        state.removed("p")
        state.removed("p")
        assert state.read("p") == {"current": None, "previous": {"n": 2}}
    file = tmp_path / "new" / "p.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["schema"] == 1


@pytest.mark.parametrize("text", ["{", '{"schema": 99}', "[]"])
def test_a_damaged_record_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(EngineError) as caught:
        StateDir(str(tmp_path)).read("p")
    assert caught.value.code == "state"
    assert str(tmp_path) in str(caught.value)


def test_the_lock_is_exclusive(tmp_path: Path) -> None:
    state = StateDir(str(tmp_path))
    with state.locked("p"), state.locked("q"):
        with pytest.raises(EngineError) as caught, state.locked("p"):
            pass
        assert caught.value.code == "busy"
    with state.locked("p"):
        pass


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = StateDir(str(tmp_path / "file" / "x"))
    with pytest.raises(EngineError, match="cannot be written"), state.locked("p"):
        pass
