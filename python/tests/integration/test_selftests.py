"""The self-tests themselves: the twin passes them, so what fails them differs from the twin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agentcore.cache import twin as cache_twin
from agentcore.http import twin as http_twin
from agentcore.integration.probe import run_vector, run_vectors, vectors_of
from agentcore.integration.selftests import Vector
from agentcore.queue import twin as queue_twin
from agentcore.text import twin as text_twin

COMPONENT = "agent_core_utils"


def test_the_twin_of_agent_core_utils_passes() -> None:
    twin = SimpleNamespace(**vars(cache_twin), **{
        name: getattr(module, name)
        for module in (http_twin, queue_twin, text_twin)
        for name in module.__all__
    })  # fmt: skip
    results = run_vectors(COMPONENT, twin)
    assert len(results) >= 8
    assert [wrong for _, wrong in results if wrong] == []


def test_names_are_unique() -> None:
    names = [vector.name for vector in vectors_of(COMPONENT)]
    assert len(names) == len(set(names))


def _raise(error: BaseException) -> Any:
    raise error


class PanicLike(BaseException):
    pass


@pytest.mark.parametrize(
    ("run", "wrong"),
    [
        (lambda ns: 2, ""),
        (lambda ns: 3, "self-test 'v' answered 3, not 2"),
        (lambda ns: _raise(ValueError("x")), "self-test 'v' raised ValueError: x"),
        (lambda ns: _raise(PanicLike("p")), "self-test 'v' raised PanicLike: p"),
        (lambda ns: "y" * 500, "self-test 'v' answered '" + "y" * 116 + "..., not 2"),
    ],
)
def test_a_wrong_answer_is_told(run: Any, wrong: str) -> None:
    assert run_vector(Vector("v", run, 2), None) == wrong


def test_an_interrupt_is_no_answer() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_vector(Vector("v", lambda ns: _raise(KeyboardInterrupt()), 2), None)
