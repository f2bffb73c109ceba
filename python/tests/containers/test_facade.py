"""What the facade does when native code breaks: the twin answers, and the fault is counted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agentcore.containers import EngineError, FastContainerOrchestrator, TemplateError, twin
from agentcore.integration import RustIntegrationManager


class Faults:
    """A manager with a native module that can be made to break; a panic can't be had to order."""

    def __init__(self, error: BaseException) -> None:
        def broken(*_: Any) -> None:
            raise error

        class NativeEngineError(RuntimeError):
            pass

        self.module = SimpleNamespace(
            EngineError=NativeEngineError,
            Engine=lambda *_: SimpleNamespace(ping=broken),
            interpolate=broken,
        )
        self.faults: list[tuple[str, BaseException]] = []

    def native(self, _: str) -> SimpleNamespace:
        return self.module

    def record_fault(self, module: str, error: BaseException) -> None:
        self.faults.append((module, error))


def facade(faults: Faults, folder: Path) -> FastContainerOrchestrator:
    manager = cast(RustIntegrationManager, faults)
    return FastContainerOrchestrator(f"unix://{folder}/no.sock", str(folder), manager=manager)


def panic() -> BaseException:
    kind = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    return cast(BaseException, kind("index out of bounds"))


@pytest.mark.parametrize("error", [RuntimeError("bug"), panic()])
def test_a_fault_is_counted_and_the_twin_answers(tmp_path: Path, error: BaseException) -> None:
    faults = Faults(error)
    assert facade(faults, tmp_path).interpolate("$A", {"A": "1"}) == "1"
    assert faults.faults == [("agent_container_orchestrator", error)]
    with pytest.raises(EngineError, match="no Docker engine answers"):  # the twin's own words
        facade(faults, tmp_path).ping()
    assert len(faults.faults) == 2


def test_refusals_are_answers_not_faults(tmp_path: Path) -> None:
    faults = Faults(ValueError("a: b\nc: d"))
    with pytest.raises(TemplateError) as caught:
        facade(faults, tmp_path).interpolate("", {})
    assert caught.value.problems == ["a: b", "c: d"]
    faults = Faults(RuntimeError())
    faults.module.Engine = lambda *_: SimpleNamespace(
        ping=lambda: (_ for _ in ()).throw(faults.module.EngineError("busy", "wait", '{"a": 1}'))
    )
    with pytest.raises(EngineError) as failed:
        facade(faults, tmp_path).ping()
    assert (failed.value.code, str(failed.value), failed.value.details) == (
        "busy",
        "wait",
        {"a": 1},
    )
    assert faults.faults == []


def test_an_interrupt_passes(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        facade(Faults(KeyboardInterrupt()), tmp_path).interpolate("", {})


def test_the_twin_has_the_names_of_the_contract() -> None:
    for name in twin.__all__:
        assert hasattr(twin, name)
