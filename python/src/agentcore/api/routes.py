"""The routes of AGENTCore and how each error is put into HTTP.

=====================================  =========================================================
``GET  /livez``                        200 while the event loop turns
``GET  /readyz``                       200 or 503: components, model, release, why not
``GET  /metrics``                      Prometheus text
``GET  /v1/agents``                    the agents and their inputs
``POST /v1/agents/{name}/runs``        run one; ``auto`` chooses by ``prompt`` or asks back
``GET  /v1/agents/{name}/runs/{id}``   a finished run
``POST /v1/search``                    search documents, with citations
=====================================  =========================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from agentcore import __version__
from agentcore.agents.inputs import Inputs
from agentcore.api.edge import Edge
from agentcore.api.metrics import Metrics
from agentcore.api.runner import BusyError, Runner, parse_object
from agentcore.api.state import State
from agentcore.core import AUTO, AGENTCore
from agentcore.errors import AgentCoreError, InputError, NotFoundError

__all__ = ["MAX_BODY_BYTES", "build_app"]

MAX_BODY_BYTES = 16 * 1024 * 1024
_JSON = "application/json"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class TooLargeError(AgentCoreError):
    """The request's body is larger than is read."""

    code = "too_large"


class NotReadyError(AgentCoreError):
    """The service cannot take this request now."""

    code = "not_ready"


_STATUS: tuple[tuple[type[AgentCoreError], int], ...] = (
    (TooLargeError, 413),
    (InputError, 422),
    (NotFoundError, 404),
    (BusyError, 503),
    (NotReadyError, 503),
)


def build_app(state: State, metrics: Metrics) -> Edge:
    """Return the ASGI application: the routes behind the edge."""

    def livez(_: Request) -> Response:
        return _json({"status": "alive", "service": "agentcore", "version": __version__})

    async def readyz(_: Request) -> Response:
        ready, body = state.readiness()
        metrics.ready.set(ready)
        return _json(body, 200 if ready else 503)

    async def metrics_text(_: Request) -> Response:
        metrics.ready.set(not state.trouble())
        return Response(metrics.render(), headers={"content-type": _METRICS})

    async def agents(_: Request) -> Response:
        core, _runner = _loaded(state)
        listed = [
            {"name": name, "description": agent.description, "inputs": dict(agent.inputs)}
            for name, agent in core.agents.items()
        ]
        auto = "runs the agent that the prompt fits, or asks back"
        listed.append({"name": AUTO, "description": auto, "inputs": {}})
        return _json({"agents": listed})

    async def start_run(request: Request) -> Response:
        _core, runner = _loaded(state)
        body = await _read(request)
        name = request.path_params["name"]
        return Response(await runner.call(lambda: runner.run(name, body)), media_type=_JSON)

    async def get_run(request: Request) -> Response:
        name, run = request.path_params["name"], request.path_params["run"]
        document = state.store.get(name, run)
        if document is None:
            raise NotFoundError(
                "no such run is kept", f"/v1/agents/{name}/runs/{run}", "a run's id"
            )
        return Response(document, media_type=_JSON)

    async def search(request: Request) -> Response:
        core, runner = _loaded(state)
        body = await _read(request)
        return _json(await runner.call(lambda: _search(core, body)))

    routes = [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics_text),
        Route("/v1/agents", agents),
        Route("/v1/agents/{name}/runs", start_run, methods=["POST"]),
        Route("/v1/agents/{name}/runs/{run}", get_run),
        Route("/v1/search", search, methods=["POST"]),
    ]
    handlers: dict[Any, Callable[..., Any]] = {
        AgentCoreError: _on_error,
        HTTPException: _on_http,
        ClientDisconnect: _on_gone,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    names = {route.endpoint: route.path for route in routes}
    return Edge(app, state, metrics, names)


def _search(core: AGENTCore, body: bytes) -> dict[str, Any]:
    request = parse_object(body, {"query": str, "documents": list, "limit": int})
    documents = Inputs({"documents": request.get("documents")}, ("documents",)).files("documents")
    hits = core.search(request.get("query", ""), documents, request.get("limit", 5))
    return {
        "hits": [
            {
                "document": hit.passage.document,
                "start": hit.passage.start,
                "end": hit.passage.end,
                "quote": hit.passage.text,
                "score": hit.score,
            }
            for hit in hits
        ]
    }


def _loaded(state: State) -> tuple[AGENTCore, Runner]:
    if state.core is None or state.runner is None:
        raise NotReadyError("the service is starting", "", "a retry in a second")
    return state.core, state.runner


async def _read(request: Request) -> bytes:
    too_large = TooLargeError("the body is too large", "body", f"at most {MAX_BODY_BYTES} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return Response(content.encode("utf-8", "surrogatepass"), status, headers, _JSON)


def _on_error(_: Request, error: AgentCoreError) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    headers = {"retry-after": "1"} if status == 503 else None
    return _json({"error": error.to_dict()}, status, headers)


def _on_http(request: Request, error: HTTPException) -> Response:
    expected = {404: "a path of GET /v1/agents", 405: "another method"}.get(error.status_code, "")
    body = {"code": "http", "what": error.detail, "where": request.url.path, "expected": expected}
    return _json({"error": body}, error.status_code, dict(error.headers or {}))


def _on_gone(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=499)  # nobody reads it; the log shows it
