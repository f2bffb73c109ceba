"""The stand-in for the security agent: its flags, routes and metrics, answered by the twin.

`agentcore security report …` merges what the agents of a fleet found (`agentcore.security.report`).
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from agentcore import __version__
from agentcore.daemon import Request, Response, Service, ServiceInfo, add_daemon_arguments
from agentcore.errors import ConfigurationError, InputError
from agentcore.security import report, twin
from agentcore.security.agent import Agent, BusyError, Config
from agentcore.security.host.words import is_whole, strict_json

NAME = "security-agent"
MAX_TARGETS = 1024
"""Most targets of one request."""
MAX_BODY = 512 * 1024
"""Longest body of a request, in bytes."""
_SHAPE = '{"targets": [addresses or names], "ports": [1 to 65535]}'
_log = logging.getLogger("agentcore.security")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the Rust daemon, and the optional `report`."""
    add_daemon_arguments(parser, listen="127.0.0.1:9810", api_key=True)
    for flag, default, text in (
        ("--rootfs", "/", "where the host's / is mounted"),
        ("--procfs", "/proc", "where the host's /proc is mounted"),
        ("--state-dir", None, "folder that keeps the last report, to name what changed since"),
    ):
        parser.add_argument(flag, metavar="DIR", default=default, help=text)
    for flag, text in (
        ("--scope-file", "JSON file of the hosts that may be scanned; without it nothing is"),
        ("--waivers-file", "JSON file of accepted findings, each with its reason"),
    ):
        parser.add_argument(flag, metavar="FILE", type=Path, help=text)
    parser.add_argument(
        "--audit-interval",
        metavar="SECONDS",
        type=_interval,
        default=3600,
        help="seconds between audits (default 3600)",
    )
    parser.add_argument(
        "--host-name", metavar="NAME", help="this host's name (default: its /etc/hostname)"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    text = "merge the findings of a fleet into one report"
    report.add_arguments(actions.add_parser("report", help=text, description=text))


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM; or merge reports.

    Raises:
        ConfigurationError: a flag or a file is not acceptable; nothing was started.
    """
    if args.action == "report":
        return report.run(args)
    config = read_config(args)
    service = Service.from_args(ServiceInfo(NAME, __version__), args)
    agent = Agent(config, service.registry)
    latch = service.ready.latch("audit", "the first audit has not finished")
    add_routes(service, agent)
    service.on_stop(agent.close)
    service.bind()
    agent.start(latch)
    return service.run()


def read_config(args: argparse.Namespace) -> Config:
    """Read the files that the flags name.

    Raises:
        ConfigurationError: one cannot be used: which, why, and what would be right.
    """
    for flag, folder in (
        ("--rootfs", args.rootfs),
        ("--procfs", args.procfs),
        ("--state-dir", args.state_dir),
    ):
        if folder is not None and not Path(folder).is_dir():
            raise ConfigurationError("not a folder", f"{flag} {folder}", "an existing folder")
    scope = _read("--scope-file", args.scope_file, twin.scope_hosts)
    waivers = _read("--waivers-file", args.waivers_file, twin.check_waivers)
    return Config(
        rootfs=args.rootfs,
        procfs=args.procfs,
        scope=scope,
        waivers=waivers,
        state_dir=None if args.state_dir is None else Path(args.state_dir),
        audit_interval=args.audit_interval,
        host_name=args.host_name or _host_name(args.rootfs),
    )


def _interval(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 31_536_000:
        raise argparse.ArgumentTypeError(f"'{text}' is not in 1..=31536000 seconds")
    return int(text)


def _read(flag: str, path: Path | None, check: Any) -> str | None:
    if path is None:
        return None
    place = f"{flag} {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"cannot be read: {why}", place, "a readable JSON file") from None
    try:
        check(text)
    except ValueError as error:
        raise ConfigurationError(str(error), place) from None
    return text


def _host_name(rootfs: str) -> str:
    try:
        name = Path(rootfs, "etc/hostname").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = ""
    return name or "localhost"


def add_routes(service: Service, agent: Agent) -> None:
    """The routes under ``/v1/``."""
    service.route("GET", "/v1/findings", lambda request: _findings(agent, request))
    service.route("POST", "/v1/audits", lambda _: _audit(agent))
    service.route("POST", "/v1/scans", lambda request: _scan(agent, request))


def _json(text: str) -> Response:
    return Response(200, text.encode(), "application/json")


def _findings(agent: Agent, request: Request) -> Response:
    if agent.last is None:
        return Response.error(503, "the first audit has not finished")
    form = request.query.get("format", ["json"])[-1]
    if form == "sarif":
        return _json(twin.sarif(agent.last))
    if form != "json":
        raise InputError(f'there is no "{form}"', "format", "json or sarif")
    return _json(agent.last)


def _audit(agent: Agent) -> Response:
    try:
        return _json(agent.audit())
    except BusyError as error:
        return Response.error(409, str(error))


def _scan(agent: Agent, request: Request) -> Response:
    if len(request.body) > MAX_BODY:
        return Response.error(413, f"the body has {len(request.body)} bytes; at most {MAX_BODY}")
    if agent.config.scope is None:
        text = "no scope file was given (--scope-file), so nothing may be scanned"
        return Response.error(409, text)
    targets, ports = _parse(request.body)
    try:
        return _json(agent.scan(targets, ports))
    except BusyError as error:
        return Response.error(409, str(error))
    except PermissionError as error:
        _log.warning("a scan was refused: %s", error)
        return Response.error(403, str(error))
    except ValueError as error:
        return Response.error(400, str(error))


def _parse(body: bytes) -> tuple[list[str] | None, list[int] | None]:
    if not body:
        return None, None
    try:
        value = strict_json(body.decode())
    except ValueError:
        value = None
    if not isinstance(value, dict) or not value.keys() <= {"targets", "ports"}:
        raise InputError("not a scan", "body", _SHAPE)
    targets, ports = value.get("targets"), value.get("ports")
    if targets is not None and not _is_list(targets, lambda item: isinstance(item, str)):
        raise InputError("not a scan", "body", _SHAPE)
    if ports is not None and not _is_list(ports, lambda p: is_whole(p) and 0 <= p <= 65535):
        raise InputError("not a scan", "body", _SHAPE)
    if targets is not None and len(targets) > MAX_TARGETS:
        raise InputError(f"{len(targets)} of them", "targets", f"at most {MAX_TARGETS}")
    return targets, ports


def _is_list(value: Any, is_item: Any) -> bool:
    return isinstance(value, list) and all(map(is_item, value))
