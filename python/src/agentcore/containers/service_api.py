"""The routes of the stand-in's API and its own figures; the Rust daemon's are the same."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from agentcore.containers.contract import EngineError, TemplateError
from agentcore.containers.template import parse_template
from agentcore.containers.twin import Engine
from agentcore.daemon import Request, Response, Service
from agentcore.errors import InputError

__all__ = ["Api", "Figures"]

MAX_SANDBOXES = 4
"""More sandboxes at a time are refused."""
STATUSES = {
    "busy": 409,
    "engine": 502,
    "gate_failed": 424,
    "image_missing": 424,
    "not_found": 404,
    "state": 500,
    "too_many": 429,
    "unreachable": 503,
    "unsupported": 503,
}
_log = logging.getLogger("agentcore.orchestrator")


class Figures:
    """The daemon's own figures, under the Rust daemon's names."""

    def __init__(self, service: Service) -> None:
        prefix = "agentcore_orchestrator"
        self.operations = Counter(
            f"{prefix}_operations",
            "Operations by how they ended: ok, or the code of the error",
            ["operation", "outcome"],
            registry=service.registry,
        )
        self.seconds = Histogram(
            f"{prefix}_operation_seconds",
            "Time that operations took",
            ["operation"],
            registry=service.registry,
            buckets=(0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0),
        )
        self.engine_up = Gauge(
            f"{prefix}_engine_up",
            "1 when the engine answered the last ping",
            registry=service.registry,
        )

    def ended(self, operation: str, outcome: str, seconds: float) -> None:
        """Note an operation that ended."""
        self.operations.labels(operation, outcome).inc()
        self.seconds.labels(operation).observe(seconds)


class Api:
    """The routes on the Unix socket; see the Rust daemon's ``api.rs`` for the table."""

    def __init__(self, engine: Engine, policy: dict[str, Any], figures: Figures) -> None:
        self.engine = engine
        self.policy = policy
        self.figures = figures
        self.slots = threading.BoundedSemaphore(MAX_SANDBOXES)

    def routes(self, service: Service) -> None:
        """Add the routes to a service."""
        for operation, action in (
            ("plan", lambda r: self.engine.plan(self._project(r))),
            ("apply", lambda r: self.engine.apply(self._project(r))),
            ("rollback", lambda r: self.engine.rollback(_fields(r, {"project": str})["project"])),
            ("remove", self._remove),
            ("sandbox", self._sandbox),
        ):
            service.route("POST", f"/v1/{operation}", self._counted(operation, action))
        service.route(
            "GET",
            "/v1/status",
            self._counted("status", lambda r: self.engine.status(r.query.get("project", [""])[0])),
        )

    def _counted(
        self, operation: str, action: Callable[[Request], dict[str, Any]]
    ) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            begun = time.monotonic()
            outcome = "internal"
            try:
                answer = Response.json(action(request))
                outcome = "ok"
            except (TemplateError, EngineError, InputError) as error:
                outcome = error.code
                answer = _failure(error)
            finally:
                seconds = time.monotonic() - begun
                self.figures.ended(operation, outcome, seconds)
                fields = {"operation": operation, "outcome": outcome, "ms": int(seconds * 1000)}
                _log.info("operation ended", extra={"fields": fields})
            return answer

        return handle

    def _project(self, request: Request) -> dict[str, Any]:
        body = _fields(request, {"template": str, "variables": dict})
        variables = body.get("variables", {})
        if not all(isinstance(value, str) for value in variables.values()):
            raise InputError("a variable is not text", "request body", "text values")
        return parse_template(body["template"], variables, self.policy)

    def _remove(self, request: Request) -> dict[str, Any]:
        body = _fields(request, {"project": str, "volumes": bool})
        return self.engine.remove(body["project"], body.get("volumes", False))

    def _sandbox(self, request: Request) -> dict[str, Any]:
        if not self.slots.acquire(blocking=False):
            message = f"{MAX_SANDBOXES} sandboxes run; expected fewer at a time"
            raise EngineError("too_many", message)
        try:
            return self.engine.sandbox(request.json())
        finally:
            self.slots.release()


def _fields(request: Request, kinds: dict[str, type]) -> dict[str, Any]:
    """Read a JSON object whose first field is required and which has no others."""
    body = request.json()
    required = next(iter(kinds))
    if not isinstance(body, dict) or required not in body:
        raise InputError(
            f"no field {required}", "request body", f"an object with {', '.join(kinds)}"
        )
    for name, value in body.items():
        if name not in kinds:
            raise InputError(f"unknown field {name}", "request body", ", ".join(kinds))
        if not isinstance(value, kinds[name]):
            raise InputError(f"field {name} is not {kinds[name].__name__}", "request body", "one")
    return body


def _failure(error: TemplateError | EngineError | InputError) -> Response:
    status = {"template": 422, "input": 400}.get(error.code) or STATUSES[error.code]
    body = {
        "error": str(error),
        "code": error.code,
        "problems": error.problems if isinstance(error, TemplateError) else [],
        "details": error.details if isinstance(error, EngineError) else {},
    }
    return Response.json(body, status)
