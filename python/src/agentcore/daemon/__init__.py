"""What the Python stand-ins of the Rust daemons share: the twin of the ``agent-kit`` crate.

A stand-in takes the flags, routes, log fields and exit codes of the daemon that it replaces::

    from agentcore.daemon import Response, Service, ServiceInfo, add_daemon_arguments

    def add_arguments(parser):
        add_daemon_arguments(parser, listen="127.0.0.1:9810", api_key=True)

    def run(args):
        service = Service.from_args(ServiceInfo("security-agent"), args)  # refuses what is wrong
        docker = service.ready.latch("docker", "not connected yet")
        service.route("GET", "/v1/findings/{id}", lambda request: Response.json(
            {"id": request.params["id"], "limit": request.query.get("limit", ["10"])[0]}))
        service.on_stop(scanner.close)        # called once, while requests drain
        service.bind()                        # a taken address ends here
        docker.open()                         # /readyz answers 200 from here on
        return service.run()                  # serves until SIGTERM, drains, returns 0

- Every route under ``/v1/`` needs ``Authorization: Bearer <key>`` when there is a key; the admin
  routes (``/metrics``, ``/healthz``, ``/readyz``, ``/``) never do. Without a key a TCP address that
  isn't loopback is refused (for services that take keys).
- A handler gets a `Request` and returns a `Response`; ``InputError`` becomes 400, ``NotFoundError``
  404, any other deliberate error 500 with its text; the unexpected becomes 500 without detail,
  and a log line.
- ``service.registry`` is a ``prometheus_client.CollectorRegistry`` with ``agentcore_service_info``
  and the process's own figures; register counters and gauges there
  (``Counter("x", "…", ["l"], registry=service.registry)``).
- ``service.metrics_source = callable(request) -> str`` puts more text in front of the registry's.
- Handlers run on threads, at most `MAX_CONNECTIONS` at once.
- In tests, ``with service.running() as address:`` serves in the background.
"""

from __future__ import annotations

from agentcore.daemon.arguments import add_daemon_arguments
from agentcore.daemon.info import IMPLEMENTATION, ServiceInfo
from agentcore.daemon.keys import ApiKey, ensure_guarded
from agentcore.daemon.listen import Listen, parse_listen
from agentcore.daemon.log import configure_logging
from agentcore.daemon.messages import Request, Response
from agentcore.daemon.ready import Latch, Ready
from agentcore.daemon.server import DRAIN_SECONDS, MAX_CONNECTIONS
from agentcore.daemon.service import Service

__all__ = [
    "DRAIN_SECONDS",
    "IMPLEMENTATION",
    "MAX_CONNECTIONS",
    "ApiKey",
    "Latch",
    "Listen",
    "Ready",
    "Request",
    "Response",
    "Service",
    "ServiceInfo",
    "add_daemon_arguments",
    "configure_logging",
    "ensure_guarded",
    "parse_listen",
]
