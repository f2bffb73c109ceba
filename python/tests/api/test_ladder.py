"""The ladder's third step by a real fault: native code that takes the process along, later."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import build  # noqa: F401 - a fixture
from tests.integration.test_manager import RIGHT, with_surface

from .conftest import Served, Starter

# Right until its hundredth call, in each process anew.
DEADLY = RIGHT + (
    "import os\n"
    "calls = []\n"
    "class Text(Text):\n"
    " def __init__(self, bridge=None): super().__init__()\n"
    " def redact_many(self, *arguments, **options):\n"
    "  calls.append(1)\n"
    "  if len(calls) == 100: os.abort()\n"
    "  return super().redact_many(*arguments, **options)\n"
)
RUN = {"inputs": {"task": "redact", "text": "write to jane@example.org"}}


def redact(served: Served) -> str:
    """The redacted text, or an empty string if the service died over it."""
    try:
        answer = served.ask("POST", "/v1/agents/lawyer/runs", RUN)
    except (OSError, http.client.HTTPException):
        assert served.process.wait(30) == -signal.SIGABRT
        return ""
    assert answer.status == 200
    return str(answer.json["result"]["data"]["text"])


@pytest.mark.slow
def test_a_module_that_aborts_at_its_hundredth_call(
    start: Starter,
    build: Callable[..., Path],  # noqa: F811
) -> None:
    env = {"AGENTCORE_LIB_DIR": str(build(with_surface(DEADLY)))}
    answered = 0
    for _ in range(3):
        served = start("--release", "r1", env=env)
        assert served.ask("GET", "/readyz").json["flavor"] == "native"
        while redact(served) == "write to [EMAIL]":
            answered += 1
    assert answered > 200  # the self-test before each boot has a process of its own
    served = start("--release", "r1", env=env)
    for _ in range(150):
        assert redact(served) == "write to [EMAIL]"
    body = served.ask("GET", "/readyz").json
    assert body["flavor"] == "python"
    assert "boot guard" in body["reason"]
    assert served.ask("GET", "/metrics").body.count(b"agentcore_component_native{") > 0
