"""The pure-Python twin of the native module ``agent_container_orchestrator``: the same names."""

from __future__ import annotations

from agentcore import __version__
from agentcore.containers.contract import EngineError
from agentcore.containers.engine import Engine
from agentcore.containers.interpolation import interpolate
from agentcore.containers.plan import container_config, plan
from agentcore.containers.sandbox_spec import parse_sandbox
from agentcore.containers.template import parse_template

__all__ = [
    "Engine",
    "EngineError",
    "__version__",
    "container_config",
    "interpolate",
    "parse_sandbox",
    "parse_template",
    "plan",
]
