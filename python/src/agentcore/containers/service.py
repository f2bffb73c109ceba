"""The stand-in of the orchestrator daemon: same flags, ports, socket, routes and metric names."""

from __future__ import annotations

import argparse
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

from agentcore.containers.contract import EngineError, TemplateError
from agentcore.containers.policy import parse_policy
from agentcore.containers.service_api import Api, Figures
from agentcore.containers.twin import Engine
from agentcore.daemon import (
    Latch,
    Listen,
    Service,
    ServiceInfo,
    add_daemon_arguments,
)
from agentcore.errors import ConfigurationError

__all__ = ["add_arguments", "run"]

PING_SECONDS = 2.0
SWEEP_SECONDS = 60.0
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
