"""Inputs are refused by name, with what was wrong and what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from agentcore.agents import inputs as module
from agentcore.agents.inputs import Inputs
from agentcore.errors import InputError


def test_good_values_pass() -> None:
    given = Inputs({"a": "x", "n": 3, "b": True}, ("a", "n", "b", "c"))
    assert given.text("a") == "x"
    assert given.number("n", 1, 0, 5) == 3.0
    assert given.integer("n", 1, 0, 5) == 3
    assert given.flag("b", False) is True
    assert given.choice("c", ("p", "q"), "q") == "q"


@pytest.mark.parametrize(
    "value", [True, "3", None, float("nan"), float("inf"), 6, -1, 10**400], ids=lambda v: str(v)[:8]
)
def test_numbers(value: Any) -> None:
    with pytest.raises(InputError, match=r"inputs\.n: .*expected a number from 0 to 5"):
        Inputs({"n": value}, ("n",)).number("n", 1, 0, 5)


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(InputError, match="did you mean 'strategy'"):
        Inputs({"stratgy": 1}, ("strategy", "csv"))


@pytest.mark.parametrize(
    "files",
    [
        None,
        [],
        "a.py",
        [1],
        [{"path": "a.py"}],
        [{"path": "/etc/passwd", "content": ""}],
        [{"path": "a/../../b", "content": ""}],
        [{"path": "", "content": ""}],
        [{"path": "a", "content": 1}],
        [{"path": "a", "content": "", "mode": 1}],
    ],
)
def test_files(files: Any) -> None:
    with pytest.raises(InputError):
        Inputs({"files": files}, ("files",)).files("files")


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 2)
    monkeypatch.setattr(module, "MAX_TOTAL_CHARS", 10)
    one = {"path": "a", "content": "12345"}
    assert len(Inputs({"files": [one] * 2}, ("files",)).files("files")) == 2
    with pytest.raises(InputError, match="3 files"):
        Inputs({"files": [one] * 3}, ("files",)).files("files")
    with pytest.raises(InputError, match="more than 10 characters"):
        Inputs({"files": [one, {"path": "b", "content": "123456"}]}, ("files",)).files("files")
