"""A stand-in service: admin routes, API routes behind a key, signals, drain."""

from __future__ import annotations

import argparse
import contextlib
import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from agentcore.daemon.info import IMPLEMENTATION, ServiceInfo
from agentcore.daemon.keys import ApiKey, ensure_guarded
from agentcore.daemon.listen import Listen
from agentcore.daemon.log import configure_logging
from agentcore.daemon.messages import Request, Response
from agentcore.daemon.ready import Ready
from agentcore.daemon.server import Server
from agentcore.errors import AgentCoreError, InputError, NotFoundError

METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Handler = Callable[[Request], Response]
_log = logging.getLogger("agentcore.daemon")


class Service:
    """One stand-in daemon; see the package's documentation for how it is used."""

    def __init__(self, info: ServiceInfo, listen: Listen, *, api_key: ApiKey | None = None) -> None:
        self.info = info
        self.listen = listen
        self.api_key = api_key
        self.ready = Ready()
        self.registry = CollectorRegistry()
        self.metrics_source: Callable[[Request], str] | None = None
        self._server: Server | None = None
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._told = False
        self._on_stop: list[Callable[[], object]] = []
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self.registry)
        Gauge(
            "agentcore_service_info",
            "Which implementation of a service answers.",
            ["service", "implementation", "version"],
            registry=self.registry,
        ).labels(info.name, IMPLEMENTATION, info.version).set(1)
        self.route("GET", "/healthz", lambda _: Response.text("ok\n"))
        self.route("GET", "/readyz", lambda _: self._readyz())
        self.route("GET", "/metrics", self._metrics)
        self.route("GET", "/", lambda _: self._landing())

    @classmethod
    def from_args(cls, info: ServiceInfo, args: argparse.Namespace) -> Service:
        """Build it from the flags of `add_daemon_arguments` and set up the log.

        Raises:
            ConfigurationError: the key's file is bad, or an open address has no key.
        """
        configure_logging(args.log_format, args.log_level)
        key = None
        if hasattr(args, "api_key_file"):
            key = ApiKey.from_file(args.api_key_file) if args.api_key_file else None
            ensure_guarded(args.listen, key)
        return cls(info, args.listen, api_key=key)

    def route(self, method: str, path: str, handler: Handler) -> None:
        """Answer ``method`` on ``path``; ``{name}`` matches one segment (``request.params``)."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        self._routes.append((method, re.compile(pattern), handler))

    def on_stop(self, action: Callable[[], object]) -> None:
        """Call ``action`` once when the service is told to stop."""
        self._on_stop.append(action)

    def bind(self) -> Listen:
        """Take the address and return the one in use; requests queue until `run`.

        Raises:
            AgentCoreError: the address can't be taken (exit status 1).
        """
        if self._server is None:
            try:
                self._server = Server(self.listen, self.answer)
            except OSError as error:
                why = error.strerror or str(error)
                raise AgentCoreError(f"cannot listen on {self.listen}: {why}") from None
            self.listen = self._server.listen
        return self.listen

    def stop(self) -> None:
        """Tell the service to stop, as SIGTERM does. Takes no lock: signal handlers call it."""
        self._told = True
        if self._server is not None:
            self._server.stop()

    def run(self) -> int:
        """Serve until SIGTERM, SIGINT or `stop`, drain, return 0. For the main thread."""
        self.bind()
        server = self._bound()
        before = {
            name: signal.signal(name, lambda *_: self.stop())
            for name in (signal.SIGTERM, signal.SIGINT)
        }
        # The kernel may give the signal to another thread; the pipe wakes this one all the same.
        wake_before = signal.set_wakeup_fd(server.wake_fd, warn_on_full_buffer=False)
        try:
            self._serve_until_stopped()
        finally:
            signal.set_wakeup_fd(wake_before)
            for name, handler in before.items():
                signal.signal(name, handler)
            self._close()
        return 0

    @contextlib.contextmanager
    def running(self) -> Iterator[Listen]:
        """Serve in the background (tests): yields the address, drains at the end."""
        self.bind()
        thread = threading.Thread(target=self._serve_until_stopped, name=self.info.name)
        thread.start()
        try:
            yield self.listen
        finally:
            self.stop()
            thread.join()
            self._close()

    def answer(self, request: Request) -> Response:
        """Answer one request; also what tests call without a socket."""
        allowed = []
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found is None:
                continue
            if self._needs_key(request) and not self._has_key(request):
                refusal = "the API key is missing or wrong; send it as: Authorization: Bearer <key>"
                answer = Response.error(401, refusal)
                return replace(answer, headers={"WWW-Authenticate": 'Bearer realm="agentcore"'})
            if method == request.method:
                return self._call(handler, replace(request, params=found.groupdict()))
            allowed.append(method)
        if allowed:
            answer = Response.error(405, f"{request.method} is not allowed here")
            return replace(answer, headers={"Allow": ", ".join(allowed)})
        return Response.error(404, f"there is nothing at {request.path}")

    def _needs_key(self, request: Request) -> bool:
        return self.api_key is not None and request.path.startswith("/v1/")

    def _has_key(self, request: Request) -> bool:
        return self.api_key is not None and self.api_key.allows(
            request.headers.get("Authorization")
        )

    def _call(self, handler: Handler, request: Request) -> Response:
        try:
            return handler(request)
        except InputError as error:
            return Response.error(400, str(error))
        except NotFoundError as error:
            return Response.error(404, str(error))
        except AgentCoreError as error:
            return Response.error(500, str(error))
        except Exception:  # noqa: BLE001  # a handler's fault must not end the connection without an answer
            _log.exception("a request failed", extra={"fields": {"path": request.path}})
            return Response.error(500, "internal error; the service's log has the cause")

    def _bound(self) -> Server:
        if self._server is None:
            raise RuntimeError("bind() comes before run()")
        return self._server

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close_wake()

    def _serve_until_stopped(self) -> None:
        server = self._bound()
        _log.info("listening", extra={"fields": {"address": str(self.listen)}})
        if not self._told:
            server.serve()
        _log.info("draining")
        self.ready.drain()
        for action in self._on_stop:
            try:
                action()
            except Exception:  # noqa: BLE001  # the others must be told too
                _log.exception("a stop action failed")
        if not server.drain():
            _log.warning("requests were still running at the deadline")
        _log.info("ended", extra={"fields": {"service": self.info.name}})

    def _readyz(self) -> Response:
        reason = self.ready.reason()
        body = {
            "status": "not_ready" if reason else "ready",
            "service": self.info.name,
            "implementation": IMPLEMENTATION,
            "version": self.info.version,
            "reason": reason,
        }
        return Response.json(body, 503 if reason else 200, Cache_Control="no-store")

    def _metrics(self, request: Request) -> Response:
        text = self.metrics_source(request) if self.metrics_source else ""
        body = text.encode() + generate_latest(self.registry)
        return Response(200, body, METRICS_CONTENT_TYPE)

    def _landing(self) -> Response:
        name, version = self.info.name, self.info.version
        page = (
            f"<!doctype html><title>{name}</title><h1>{name} {version}</h1>"
            '<p><a href="/metrics">metrics</a> <a href="/healthz">health</a> '
            '<a href="/readyz">readiness</a></p>\n'
        )
        return Response(200, page.encode(), "text/html; charset=utf-8")
