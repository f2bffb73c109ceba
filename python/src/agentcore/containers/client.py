"""Asks the orchestrator through its Unix socket, so that AGENTCore needs no Docker socket.

The daemon behind the socket may be the Rust one or its Python stand-in; the API is the same.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

from agentcore.containers.contract import EngineError, TemplateError

__all__ = ["OrchestratorClient"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("orchestrator", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class OrchestratorClient:
    """One orchestrator; safe under threads, a connection a request.

    Args:
        socket_path: the orchestrator's ``--socket``.
        timeout: seconds that one answer may take; gates and sandboxes take their time.

    Every call raises ``TemplateError`` for what was asked, ``EngineError`` for what failed.
    """

    def __init__(
        self, socket_path: str = "/run/agentcore/orchestrator.sock", timeout: float = 600.0
    ) -> None:
        self.socket_path = socket_path
        self.timeout = timeout

    def plan(self, template: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
        """Say what ``apply`` would do."""
        return self._post("plan", {"template": template, "variables": variables or {}})

    def apply(self, template: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
        """Bring the engine to the template, or leave it as it was."""
        return self._post("apply", {"template": template, "variables": variables or {}})

    def rollback(self, project: str) -> dict[str, Any]:
        """Apply the specification before the current one."""
        return self._post("rollback", {"project": project})

    def remove(self, project: str, volumes: bool = False) -> dict[str, Any]:
        """Remove containers and networks, and volumes if asked."""
        return self._post("remove", {"project": project, "volumes": volumes})

    def status(self, project: str) -> dict[str, Any]:
        """Describe the containers of a project."""
        return self._ask("GET", f"/v1/status?project={quote(project, safe='')}", None)

    def sandbox(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one throw-away container."""
        return self._post("sandbox", request)

    def _post(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._ask("POST", f"/v1/{operation}", json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        connection = _Connection(self.socket_path, self.timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise EngineError(
                "unreachable", f"no orchestrator answers at unix:{self.socket_path}: {cause}"
            ) from None
        finally:
            connection.close()
        try:
            answer: dict[str, Any] = json.loads(raw)
        except ValueError:
            raise EngineError(
                "engine", f"the orchestrator answered {response.status} without JSON"
            ) from None
        if response.status == 200:
            return answer
        if answer.get("code") in ("template", "input"):
            raise TemplateError(answer.get("problems") or [answer["error"]])
        message = answer.get("error", f"status {response.status}")
        raise EngineError(answer.get("code", "engine"), message, answer.get("details"))
