"""The environment is parsed once, and what is not understood is refused with a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcore.errors import ConfigurationError
from agentcore.settings import NativeMode, Settings


def test_defaults() -> None:
    settings = Settings.from_env({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.native_mode("agent_core_utils") is NativeMode.AUTO


def test_a_component_has_its_own_mode() -> None:
    settings = Settings.from_env(
        {"AGENTCORE_NATIVE": "off", "AGENTCORE_NATIVE_AGENT_CORE_UTILS": "require"}
    )
    assert settings.native_mode("agent_core_utils") is NativeMode.REQUIRE
    assert settings.native_mode("agent_security_tools") is NativeMode.OFF


def test_folders() -> None:
    assert Settings.from_env({"AGENTCORE_LIB_DIR": "/lib"}).lib_dir == Path("/lib")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("AGENTCORE_NATVE", "off", "nearest is AGENTCORE_NATIVE"),
        ("AGENTCORE_ZZZZZZZ", "1", "expected one of AGENTCORE_NATIVE"),
        ("AGENTCORE_NATIVE", "on", "'on' is not a valid value; expected one of auto, require, off"),
        ("AGENTCORE_NATIVE", "", "'' is not a valid value"),
        ("AGENTCORE_NATIVE_AGENT_CORE_UTIL", "off", "AGENTCORE_NATIVE_AGENT_CORE_UTILS"),
        ("AGENTCORE_LIB_DIR", "lib", "begins with /"),
        ("AGENTCORE_LOG_FORMAT", "xml", "json, text"),
    ],
)
def test_refusals_name_the_variable_and_what_is_right(key: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({key: value})
    assert key in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.exit_code == 64
