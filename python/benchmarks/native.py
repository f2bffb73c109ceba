"""Ours, for the benchmarks: native or nothing, so that no figure of the twin is called ours."""

from __future__ import annotations

from functools import cache

from agentcore import __version__
from agentcore.integration import RustIntegrationManager
from agentcore.settings import NativeMode, Settings

__all__ = ["OURS_VERSION", "native_manager", "twin_manager"]

OURS_VERSION = __version__


@cache
def native_manager() -> RustIntegrationManager:
    """Return a manager under which a component is native or an error."""
    lib_dir = Settings.from_env().lib_dir
    return RustIntegrationManager(Settings(native=NativeMode.REQUIRE, lib_dir=lib_dir))


@cache
def twin_manager() -> RustIntegrationManager:
    """Return a manager under which the twins answer."""
    return RustIntegrationManager(Settings(native=NativeMode.OFF))
