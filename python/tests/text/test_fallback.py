"""When a native call fails inside, the twin answers; nobody sees a PanicException."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from agentcore.integration import RustIntegrationManager, is_native_panic
from agentcore.settings import Settings
from agentcore.text import FastStringProcessor

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]


class Faulty(RustIntegrationManager):
    """The real manager, but the module it gives really panics in every call."""

    def __init__(self) -> None:
        super().__init__(
            Settings(lib_dir=Settings.from_env().lib_dir), isolate=False, fault_limit=2
        )

    def native(self, module: str) -> ModuleType | None:
        real: Any = super().native(module)
        if real is None:
            return None
        panics = SimpleNamespace(
            normalize_many=lambda *_: real._panic("normalize"),
            redact_many=lambda *_: real._panic("redact"),
            Matcher=lambda *_: real._panic("matcher"),
        )
        return cast(ModuleType, panics)


def test_panics_are_answered_counted_and_trip(both: Both) -> None:
    manager = Faulty()
    text, other = (FastStringProcessor(manager=manager) for _ in range(2))
    assert text.normalize(" A ") == "a"
    status = manager.component_status(COMPONENT)
    assert (status.state, status.faults) == ("native", 1)
    assert text.implementation == "native"
    assert text.find("xab", ["ab"]) == [(0, 1, 3)]
    status = manager.component_status(COMPONENT)
    assert (status.state, status.implementation) == ("tripped", "python")
    assert "PanicException: " in status.reason
    assert (text.implementation, other.implementation) == ("python", "python")
    assert other.redact("a@b.de") == "[EMAIL]"
    assert manager.component_status(COMPONENT).faults >= 2


def test_a_panic_is_known_by_its_class(both: Both) -> None:
    native: Any = both[1].native(COMPONENT)
    with pytest.raises(BaseException, match=r"^on purpose$") as caught:
        native._panic("on purpose")
    assert is_native_panic(caught.value)
    assert not is_native_panic(RuntimeError("on purpose"))
