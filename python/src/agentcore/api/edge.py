"""What stands before every route: request id, key, counters and the access log.

The log has the path without its query and no header at all, so no key or input can get into it.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentcore.api.metrics import Metrics
from agentcore.api.state import State

__all__ = ["Edge"]

_access = logging.getLogger("agentcore.access")
_log = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[\w.-]{1,64}")
_QUIET = frozenset(("/livez", "/readyz", "/metrics"))
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))


class Edge:
    """ASGI middleware around the routes.

    Args:
        app: the routes.
        state: knows the key and whether the service is draining.
        metrics: where requests are counted.
        routes: endpoint to path template, the ``route`` label: a raw path would be unbounded.
    """

    def __init__(
        self, app: ASGIApp, state: State, metrics: Metrics, routes: Mapping[Any, str]
    ) -> None:
        self._app = app
        self._state = state
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        begun, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(b"x-request-id", request_id.encode("ascii"))]
                if self._state.draining:
                    extra.append((b"connection", b"close"))
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        self._metrics.in_flight.inc()
        try:
            if self._refused(scope["path"], headers.get(b"authorization")):
                await _unauthorized(answer)
            else:
                await self._app(scope, receive, answer)
        except Exception:
            _log.exception("request %s failed", request_id)
            if status:
                raise  # too late for another answer: let the server cut the connection
            await _send(answer, 500, {"code": "internal", "what": "an internal error"})
        finally:
            seconds = time.perf_counter() - begun
            route = self._routes.get(scope.get("endpoint"), "")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.in_flight.dec()
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            level = logging.DEBUG if scope["path"] in _QUIET and status < 400 else logging.INFO
            if _access.isEnabledFor(level):
                fields = {
                    "method": method,
                    "path": scope["path"][:200],
                    "status": status,
                    "seconds": round(seconds, 6),
                    "request_id": request_id,
                    "client": (scope.get("client") or ("unix",))[0],
                }
                _access.log(level, "request", extra={"fields": fields})

    def _refused(self, path: str, authorization: bytes | None) -> bool:
        if self._state.key is None or not path.startswith("/v1"):
            return False
        header = None if authorization is None else authorization.decode("latin-1")
        return not self._state.key.allows(header)


async def _unauthorized(send: Send) -> None:
    await _send(
        send,
        401,
        {"code": "unauthorized", "what": "no valid key", "where": "Authorization"}
        | {"expected": "Bearer <the key of --api-key-file>"},
        (b"www-authenticate", b'Bearer realm="agentcore"'),
    )


async def _send(send: Send, status: int, error: dict[str, str], *more: tuple[bytes, bytes]) -> None:
    whole = {"code": "", "what": "", "where": "", "expected": ""} | error
    body = json.dumps({"error": whole}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})
    await send({"type": "http.response.body", "body": body})
