"""What the environment may say to AGENTCore, parsed once and refused when not understood.

Only what must be known before the command line is read lives here; everything else is a flag.
A leaf: imports only the errors.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from agentcore.errors import ConfigurationError

__all__ = ["COMPONENTS", "PREFIX", "NativeMode", "Settings"]

_Choice = TypeVar("_Choice", bound=StrEnum)

PREFIX = "AGENTCORE_"

COMPONENTS = (
    "agent_core_utils",
    "agent_container_orchestrator",
    "agent_security_tools",
    "agent_performance_monitor",
)
"""The names of the four components, as they appear in variables, metrics and ``/readyz``."""


class NativeMode(StrEnum):
    """How a component chooses its implementation."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"


class LogFormat(StrEnum):
    """How a service writes its log lines to stderr."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True)
class Settings:
    """The environment, understood.

    Attributes:
        native: ``AGENTCORE_NATIVE``; the mode of every component without its own.
        native_by_component: ``AGENTCORE_NATIVE_<COMPONENT>``, by component name.
        lib_dir: ``AGENTCORE_LIB_DIR``; the folder of the ``*.abi3.so`` files, if given.
        state_dir: ``AGENTCORE_STATE_DIR``; default of ``--state-dir``, if given.
        release: ``AGENTCORE_RELEASE``; default of ``--release``, may be empty.
        log_format: ``AGENTCORE_LOG_FORMAT``; default of ``--log.format``.
    """

    native: NativeMode = NativeMode.AUTO
    native_by_component: Mapping[str, NativeMode] = field(default_factory=dict)
    lib_dir: Path | None = None
    state_dir: Path | None = None
    release: str = ""
    log_format: LogFormat = LogFormat.TEXT

    def native_mode(self, component: str) -> NativeMode:
        """Return the mode of one component: its own if it has one, else the common one."""
        return self.native_by_component.get(component, self.native)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Parse the environment.

        Args:
            env: the variables; ``os.environ`` when not given.

        Raises:
            ConfigurationError: a variable with our prefix is unknown or has a bad value.
        """
        env = os.environ if env is None else env
        ours = {key: value for key, value in env.items() if key.startswith(PREFIX)}
        by_component = {f"{PREFIX}NATIVE_{name.upper()}": name for name in COMPONENTS}
        known = [
            f"{PREFIX}{name}"
            for name in ("NATIVE", "LIB_DIR", "STATE_DIR", "RELEASE", "LOG_FORMAT")
        ] + list(by_component)
        for key in sorted(ours):
            if key not in known:
                raise ConfigurationError(
                    "unknown variable", f"environment variable {key}", _nearest(key, known)
                )
        return cls(
            native=_choice(NativeMode, ours, f"{PREFIX}NATIVE", NativeMode.AUTO),
            native_by_component={
                name: _choice(NativeMode, ours, key, NativeMode.AUTO)
                for key, name in by_component.items()
                if key in ours
            },
            lib_dir=_folder(ours, f"{PREFIX}LIB_DIR"),
            state_dir=_folder(ours, f"{PREFIX}STATE_DIR"),
            release=ours.get(f"{PREFIX}RELEASE", ""),
            log_format=_choice(LogFormat, ours, f"{PREFIX}LOG_FORMAT", LogFormat.TEXT),
        )


def _nearest(key: str, known: list[str]) -> str:
    names = [name.removeprefix(PREFIX) for name in known]
    close = difflib.get_close_matches(key.removeprefix(PREFIX), names, n=1, cutoff=0.6)
    if close:
        return f"a known one; the nearest is {PREFIX}{close[0]}"
    return "one of " + ", ".join(known)


def _choice(kind: type[_Choice], env: Mapping[str, str], key: str, default: _Choice) -> _Choice:
    value = env.get(key)
    if value is None:
        return default
    try:
        return kind(value)
    except ValueError:
        raise ConfigurationError(
            f"{value!r} is not a valid value",
            f"environment variable {key}",
            "one of " + ", ".join(kind),
        ) from None


def _folder(env: Mapping[str, str], key: str) -> Path | None:
    value = env.get(key)
    if value is None:
        return None
    if not value.startswith("/"):
        raise ConfigurationError(
            f"{value!r} is not an absolute path",
            f"environment variable {key}",
            "a path that begins with /",
        )
    return Path(value)
