"""What the containers capability promises, whichever implementation answers.

A template is text in Compose syntax; :func:`parse_template` makes the *project* of it, plain data
in which every default is written out; ``plan`` compares a project with what an engine runs; the
engine calls carry a plan out. The shapes are described in ``docs/integration.md``.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from agentcore.errors import AgentCoreError

__all__ = ["ContainerComponent", "ContainerEngine", "EngineError", "TemplateError"]

EngineCode = str
"""One of ``unreachable``, ``unsupported``, ``busy``, ``not_found``, ``image_missing``, ``policy``,
``gate_failed``, ``state``, ``input`` or ``engine``."""


class TemplateError(AgentCoreError, ValueError):
    """A template, variable, policy or sandbox request is refused; nothing was touched.

    Args:
        problems: every problem found, each ``path: what; expected …`` on one line.
    """

    exit_code = 64
    code = "template"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def __str__(self) -> str:
        return self.what


class EngineError(AgentCoreError, RuntimeError):
    """The engine could not be reached, refused a request, or a container failed its gate.

    Args:
        code: what kind of failure; see ``EngineCode``.
        message: what failed and where.
        details: the evidence, plain data; for ``gate_failed`` the service, the end of its log, its
            health history, and what was restored.
    """

    exit_code = 1

    def __init__(
        self, code: EngineCode, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def __str__(self) -> str:
        return self.what

    @classmethod
    def from_native(cls, error: BaseException) -> EngineError:
        """Convert the native component's ``EngineError(code, message, details as JSON)``."""
        code, message, details = (*error.args, "engine", str(error), "{}")[:3]
        return cls(code, message, json.loads(details))


class ContainerEngine(Protocol):
    """One Docker engine and one state directory; every call may raise the two errors above."""

    def ping(self) -> dict[str, Any]:
        """Return ``{"engine": version, "api": version}`` of an engine that answers."""

    def plan(self, project: dict[str, Any]) -> dict[str, Any]:
        """Say what ``apply`` would do; changes nothing."""

    def apply(self, project: dict[str, Any]) -> dict[str, Any]:
        """Bring the engine to the project, behind a health gate, or leave it as it was."""

    def status(self, project: str) -> dict[str, Any]:
        """Describe the containers of a project."""

    def rollback(self, project: str) -> dict[str, Any]:
        """Apply the specification that was applied before the current one."""

    def remove(self, project: str, volumes: bool = False) -> dict[str, Any]:
        """Remove a project's containers and networks, and its volumes if asked."""

    def sandbox(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one throw-away container and return its output."""


class ContainerComponent(Protocol):
    """The names that the native module and the Python twin both have."""

    __version__: str

    def interpolate(self, text: str, variables: dict[str, str]) -> str:
        """Replace ``$NAME`` and ``${NAME…}`` in one text."""

    def parse_template(
        self, text: str, variables: dict[str, str], policy: dict[str, Any]
    ) -> dict[str, Any]:
        """Read, validate and normalize a template."""

    def container_config(
        self, project: dict[str, Any], service: str, image_id: str
    ) -> dict[str, Any]:
        """Return the engine's create request for a service."""

    def plan(
        self, project: dict[str, Any], images: dict[str, str], containers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Compare a project with the containers that exist."""

    def parse_sandbox(self, request: dict[str, Any], policy: dict[str, Any]) -> dict[str, Any]:
        """Validate a sandbox request and write out its defaults."""

    def Engine(self, docker: str, state_dir: str, policy: dict[str, Any]) -> ContainerEngine:  # noqa: N802
        """Return an engine; connects on first use."""
