"""What all rooms' tests share: a manager for each implementation, by fixture parameter.

A test module that asks for ``manager`` says which component it is about in a
module constant ``COMPONENT``, and then runs twice: over the twin, and over the
native module. Without the shared object the second run is skipped and says so;
under ``AGENTCORE_NATIVE=require`` it fails instead. A shared object that is
there but does not work is always a failure.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from agentcore.integration import RustIntegrationManager
from agentcore.settings import NativeMode, Settings

# The same examples every time, so that a run tells of the change under test and not of luck.
# With AGENTCORE_EXPLORE=1 they are new ones each time; what they find becomes an @example.
settings.register_profile("steady", derandomize=True)
if not os.environ.get("AGENTCORE_EXPLORE"):
    settings.load_profile("steady")

# Child processes that tests start must find the package too, installed or not.
_SOURCE = str(Path(__file__).parent.parent / "src")
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [_SOURCE, os.environ.get("PYTHONPATH", "")])
)


@cache
def manager_for(implementation: str) -> RustIntegrationManager:
    """Return the session's manager that answers in Python only, or natively where it can."""
    if implementation == "python":
        return RustIntegrationManager(Settings(native=NativeMode.OFF))
    return RustIntegrationManager(Settings(lib_dir=Settings.from_env().lib_dir))


def native_or_skip(component: str) -> RustIntegrationManager:
    """Return a manager under which ``component`` is native; skip only if it is absent."""
    chosen = manager_for("native")
    status = chosen.component_status(component)
    if status.state == "absent" and Settings.from_env().native is not NativeMode.REQUIRE:
        pytest.skip(f"{component} is absent: {status.reason}")
    assert status.state == "native", f"{component} is {status.state}: {status.reason}"
    return chosen


@pytest.fixture(params=["python", "native"], scope="module")
def manager(request: pytest.FixtureRequest) -> RustIntegrationManager:
    """A manager under which the module's ``COMPONENT`` is what the parameter says."""
    if request.param == "python":
        return manager_for("python")
    return native_or_skip(request.module.COMPONENT)


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest) -> tuple[RustIntegrationManager, RustIntegrationManager]:
    """Both managers, the twin's and the native one's, for differential tests."""
    return manager_for("python"), native_or_skip(request.module.COMPONENT)
