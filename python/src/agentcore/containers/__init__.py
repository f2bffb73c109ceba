"""Container management: templates in Compose syntax, plans, gated applies, sandboxes.

``FastContainerOrchestrator`` holds an engine; ``OrchestratorClient`` asks the orchestrator daemon,
which is what AGENTCore does.
"""

from __future__ import annotations

from agentcore.containers.client import OrchestratorClient
from agentcore.containers.contract import EngineError, TemplateError
from agentcore.containers.facade import FastContainerOrchestrator

__all__ = ["EngineError", "FastContainerOrchestrator", "OrchestratorClient", "TemplateError"]
