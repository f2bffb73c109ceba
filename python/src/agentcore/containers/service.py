"""The stand-in of the orchestrator daemon: same flags, ports, socket, routes and metric names."""

from __future__ import annotations

import argparse
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from agentcore.containers.contract import EngineError, TemplateError
from agentcore.containers.policy import parse_policy
from agentcore.containers.template import parse_template
from agentcore.containers.twin import Engine
from agentcore.daemon import (
    Latch,
    Listen,
    Request,
    Response,
    Service,
    ServiceInfo,
    add_daemon_arguments,
)
from agentcore.errors import ConfigurationError, InputError

__all__ = ["add_arguments", "run"]

MAX_SANDBOXES = 4
"""More sandboxes at a time are refused."""
PING_SECONDS = 2.0
SWEEP_SECONDS = 60.0
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the Rust daemon."""
    add_daemon_arguments(parser, listen="127.0.0.1:9820")
    parser.add_argument(
        "--socket",
        metavar="PATH",
        type=_absolute,
        default=Path("/run/agentcore/orchestrator.sock"),
        help="Unix socket of the API, made with mode 0660",
    )
    parser.add_argument(
        "--docker",
        metavar="ADDRESS",
        type=_engine_address,
        default="unix:///var/run/docker.sock",
        help="the engine (default unix:///var/run/docker.sock)",
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        default="/var/lib/agentcore/orchestrator",
        help="folder of the records that rollbacks need",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        type=Path,
        help="JSON file that says what templates and sandboxes may ask of the host",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop.

    Raises:
        ConfigurationError: the policy is refused or the socket's folder can't be made.
    """
    policy = _read_policy(args.policy)
    admin = Service.from_args(ServiceInfo("orchestrator"), args)
    engine = Engine(args.docker, args.state_dir, policy)
    try:
        args.socket.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"its folder cannot be made: {error.strerror}",
            f"--socket {args.socket}",
            "a folder that can be written",
        ) from None
    api = Service(ServiceInfo("orchestrator"), Listen(unix=args.socket))
    figures = Figures(admin)
    Api(engine, policy, figures).routes(api)
    admin.bind()
    api.bind()
    stop = threading.Event()
    admin.on_stop(stop.set)
    latch = admin.ready.latch("docker", "not asked yet")
    watcher = threading.Thread(target=_watch, args=(engine, latch, figures, stop), daemon=True)
    with api.running():
        watcher.start()
        return admin.run()


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


def _watch(engine: Engine, latch: Latch, figures: Figures, stop: threading.Event) -> None:
    """Ping the engine for /readyz, and remove sandboxes that a killed process left behind."""
    swept = float("-inf")
    while not stop.is_set():
        try:
            engine.ping()
            figures.engine_up.set(1)
            latch.open()
            if time.monotonic() - swept >= SWEEP_SECONDS:
                swept = time.monotonic()
                if count := engine.sweep():
                    _log.warning("removed abandoned sandboxes", extra={"fields": {"count": count}})
        except EngineError as error:
            figures.engine_up.set(0)
            latch.close(str(error))
        except Exception:  # noqa: BLE001  (the watch must go on; readiness says what is wrong)
            _log.exception("the watch of the engine failed")
            latch.close("the watch of the engine failed")
        stop.wait(PING_SECONDS)


def _read_policy(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    place = f"--policy {file}"
    try:
        policy = json.loads(file.read_text("utf-8"))
        parse_policy(policy)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", place, "a JSON file"
        ) from None
    except TemplateError as error:
        raise ConfigurationError(str(error), place) from None
    except ValueError as error:
        raise ConfigurationError(f"not JSON: {error}", place, "an object") from None
    return policy if isinstance(policy, dict) else {}


def _absolute(text: str) -> Path:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(
            f"invalid value {text!r}: expected an absolute path, "
            "as in /run/agentcore/orchestrator.sock"
        )
    return Path(text)


def _engine_address(text: str) -> str:
    if not text.startswith("unix:///"):
        raise argparse.ArgumentTypeError(
            f"invalid value {text!r}: expected unix:///path/of/the.sock, "
            "as in unix:///var/run/docker.sock"
        )
    return text
