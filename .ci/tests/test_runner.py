# Apache-2.0 (see LICENSE)
"""The runner: what fails twice has failed, what fails once is named, what did not run is not counted as passed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import runner
import suites

UNSTEADY = """
from pathlib import Path

def test_steady(): pass

def test_unsteady():
    mark = Path("mark")
    seen = mark.exists()
    mark.touch()
    assert seen

def test_skipped():
    import pytest
    pytest.skip("on purpose")
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """run(name, the text of a test file): the runner after that suite, and what it printed."""
    for module in (runner, suites):
        monkeypatch.setattr(module, "LOGS", tmp_path)

    def run(text, *arguments):
        (tmp_path / "test_it.py").write_text(text)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        one = runner.Runner()
        one.run(suites.pytest_suite("it", *arguments, "test_it.py", folder=tmp_path))
        return one, capsys.readouterr().out

    return run


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_what_passes_at_the_second_try_is_counted_and_named(run, arguments):
    one, printed = run(UNSTEADY, *arguments)
    assert (one.total.passed, one.total.failed, one.total.skipped) == (2, 0, 1)
    assert one.failed == []
    assert one.summary() == "unsteady, passed at the second try: it (1)\n2 passed, 0 failed, 1 skipped"
    assert "1 of them at the second try" in printed


def test_what_fails_twice_has_failed(run):
    one, printed = run(UNSTEADY + "\ndef test_bad():\n    assert 1 == 2\n")
    assert (one.total.passed, one.total.failed) == (1, 2)
    assert one.summary().startswith("failed: it\n")
    assert "assert 1 == 2" in printed


def test_a_file_that_cannot_be_read_has_failed(run):
    one, _printed = run("def test(:\n")
    assert one.failed == ["it"]


def test_a_suite_that_needs_a_failed_one_is_not_run(run):
    one, _printed = run("def test_bad(): assert False\n")
    one.run(runner.Suite("after", ["true"], needs="it"))
    assert one.failed == ["it", "after"]


def test_what_cannot_run_here_is_skipped_with_its_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runner, "LOGS", tmp_path)
    one = runner.Runner()
    one.run(runner.Suite("elsewhere", ["sh", "-c", "echo no such Python; exit 77"]))
    assert str(one.total) == "0 passed, 0 failed, 1 skipped"
    assert "no such Python" in capsys.readouterr().out


def test_a_command_past_its_timeout_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "LOGS", tmp_path)
    one = runner.Runner()
    one.run(runner.Suite("sleeper", ["sleep", "60"], timeout=1))
    assert one.failed == ["sleeper"]
    assert "more than 1 s" in (tmp_path / "sleeper.log").read_text()
