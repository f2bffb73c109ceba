"""The doctor: a row per component, the twin's answers checked, broken told from absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentcore.cli import doctor
from agentcore.integration.probe import run_vectors, vectors_of
from agentcore.settings import COMPONENTS

from .test_main import run


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_twin_answers_every_vector(component: str) -> None:
    answers = run_vectors(component, doctor.twin_namespace(component))
    assert answers
    assert [answer for answer in answers if answer[1]] == []


def test_absent_is_no_fault(tmp_path: Path) -> None:
    done = run("doctor", "--format", "json", env={"AGENTCORE_LIB_DIR": str(tmp_path)})
    body = json.loads(done.stdout)
    assert {one["state"] for one in body["components"]} == {"absent"}
    assert (done.returncode, body["ok"]) == (0, True), body


def test_broken_is_one_and_its_path_and_cause_are_shown(tmp_path: Path) -> None:
    library = tmp_path / "agent_core_utils.abi3.so"
    library.write_bytes(b"\x7fELF not really")
    done = run("doctor", env={"AGENTCORE_LIB_DIR": str(tmp_path)})
    assert done.returncode == 1
    row = next(line for line in done.stdout.split("\n") if line.startswith("agent_core_utils"))
    assert " broken " in row
    assert str(library) in row


def test_a_twin_that_answers_wrongly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    component = "agent_core_utils"
    vector = vectors_of(component)[0]
    right = doctor.twin_namespace(component)
    for name in vars(right):
        if callable(getattr(right, name)):
            setattr(right, name, lambda *_args, **_kwargs: None)
    monkeypatch.setattr(doctor, "twin_namespace", lambda _component: right)
    report = doctor._twin(component)
    assert any(vector.name in failure for failure in report["twin_failures"])
