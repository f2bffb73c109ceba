"""When a native call fails inside, the twin answers; nobody sees a PanicException."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from agentcore.errors import NativeUnavailableError
from agentcore.integration import RustIntegrationManager, is_native_panic
from agentcore.settings import NativeMode, Settings
from agentcore.text import FastStringProcessor

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]


def faulty_manager() -> RustIntegrationManager:
    settings = Settings(lib_dir=Settings.from_env().lib_dir)
    return RustIntegrationManager(settings, isolate=False, fault_limit=2)


def panic(text: FastStringProcessor) -> Any:
    core: Any = text._core
    return core._panic([" A "])


def test_a_panic_is_answered_by_the_twin_and_counted(both: Both) -> None:
    manager = faulty_manager()
    text = FastStringProcessor(manager=manager)
    assert panic(text) == ["a"]
    status = manager.component_status(COMPONENT)
    assert (status.state, status.faults) == ("native", 1)
    assert text.implementation == "python"
    assert text.redact("a@b.de") == "[EMAIL]"
    assert text.normalize(" B ") == "b"
    assert text.chunk_many(["A b. C"], budget=2) == [["A b", ". C"]]
    assert FastStringProcessor(manager=manager).implementation == "native"


def test_faults_trip_everything_that_is_native(both: Both) -> None:
    manager = faulty_manager()
    first, second, other = (FastStringProcessor(manager=manager) for _ in range(3))
    finder, plan = other.finder(["ab"]), other.plan(["normalize"])
    expression = other.expression("a+")
    panic(first)
    assert (other.implementation, finder.implementation) == ("native", "native")
    panic(second)
    status = manager.component_status(COMPONENT)
    assert (status.state, status.implementation) == ("tripped", "python")
    assert "panic: on purpose" in status.reason
    things = (other, finder, plan, expression)
    assert [thing.implementation for thing in things] == ["python"] * 4
    assert finder.find_many(["xab"]) == [[(0, 1, 3)]]
    assert list(finder.find_all(["xab"])) == [(0, 0, 1, 3)]
    assert plan.run([" A "]) == ["a"]
    assert expression.extract_many(["baa"]) == [["aa"]]
    assert expression.replace_many(["baa"], "c") == ["bc"]
    assert other.redact("a@b.de") == "[EMAIL]"
    assert FastStringProcessor(manager=manager).implementation == "python"


def test_a_panic_while_something_is_made_is_answered_too(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = faulty_manager()
    text = FastStringProcessor(manager=manager)
    native: Any = manager.native(COMPONENT)
    broken = SimpleNamespace(Matcher=lambda *_: native._panic("matcher"))
    monkeypatch.setattr(manager, "native", lambda module: cast(ModuleType, broken))
    finder = text.finder(["ab"])
    assert finder.implementation == "python"
    assert finder.find("xab") == [(0, 1, 3)]
    assert manager.component_status(COMPONENT).faults == 1


def test_where_native_is_required_the_fault_is_the_answer(both: Both) -> None:
    settings = Settings(native=NativeMode.REQUIRE, lib_dir=Settings.from_env().lib_dir)
    text = FastStringProcessor(manager=RustIntegrationManager(settings, isolate=False))
    with pytest.raises(NativeUnavailableError, match="panic: on purpose"):
        panic(text)


def test_a_panic_is_known_by_its_class(both: Both) -> None:
    native: Any = both[1].native(COMPONENT)
    with pytest.raises(BaseException, match=r"^on purpose$") as caught:
        native._panic("on purpose")
    assert is_native_panic(caught.value)
    assert not is_native_panic(RuntimeError("on purpose"))
