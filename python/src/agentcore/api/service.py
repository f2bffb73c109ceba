"""``agentcore serve``: parses everything, guards the boot, binds, loads, serves, drains.

Loading happens after binding and beside it: ``/livez`` answers at once, ``/readyz`` turns 200 when
the components are proven and the model has passed its self-test. On SIGTERM ``/readyz`` turns
503 and answers close their connections, then no new connection is taken, requests in flight are
finished, and the process exits 0.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentcore import __version__
from agentcore.api.arguments import add_arguments
from agentcore.api.guard import DEATHS, HEALTHY_SECONDS, Boot, BootGuard
from agentcore.api.sockets import bind
from agentcore.api.state import State
from agentcore.daemon.keys import ApiKey, ensure_guarded
from agentcore.daemon.listen import Listen
from agentcore.daemon.log import configure_logging
from agentcore.errors import AgentCoreError, ConfigurationError
from agentcore.settings import COMPONENTS, NativeMode, Settings

if TYPE_CHECKING:
    import uvicorn

__all__ = ["add_arguments", "run"]

_log = logging.getLogger(__name__)
_KEEP_ALIVE_SECONDS = 75  # longer than the proxy in front keeps an idle connection


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; return 0 after an orderly end."""
    configure_logging(args.log_format, args.log_level)
    listen = Listen(unix=args.uds) if args.uds else args.listen
    key = ApiKey.from_file(args.api_key_file) if args.api_key_file else None
    ensure_guarded(listen, key)
    from agentcore.api.store import RunStore

    store = RunStore(args.state_dir)
    settings = Settings.from_env()
    boot = BootGuard(args.state_dir / "boots", args.release).begin(_may_be_native(settings))
    try:
        state = State(args.release, key, store, need_model=args.model == "on")
        _obey_guard(boot, settings, state)
        with bind(listen, args.uds_mode) as sock:
            return asyncio.run(_Service(args, state, boot, sock).serve())
    finally:
        boot.end()  # whatever led here, Python was in control: not a sudden death
        store.close()


class _Service:
    """One process's serving, from the bound socket to the exit status."""

    def __init__(
        self, args: argparse.Namespace, state: State, boot: Boot, sock: socket.socket
    ) -> None:
        from agentcore.api.metrics import Metrics

        self._args = args
        self._state = state
        self._boot = boot
        self._socket = sock
        self._metrics = Metrics(__version__, state.flavor, state.statuses)
        self._metrics.guard.set(boot.active)
        self._failure: AgentCoreError | None = None

    async def serve(self) -> int:
        import uvicorn

        from agentcore.api.routes import build_app

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield  # ours are set below: uvicorn's would end the process by the signal

        config = uvicorn.Config(
            build_app(self._state, self._metrics),
            log_config=None,
            access_log=False,
            lifespan="off",
            http="h11",
            loop="asyncio",
            ws="none",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=self._args.drain_seconds,
        )
        server = Server(config)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain, loop, server)
        loop.call_later(HEALTHY_SECONDS, self._boot.healthy)
        threading.Thread(
            target=self._load, args=(loop, server), name="agentcore-load", daemon=True
        ).start()
        _log.info("agentcore %s listens on %s", __version__, self._args.uds or self._args.listen)
        await server.serve(sockets=[self._socket])
        if self._state.runner:
            await loop.run_in_executor(None, self._state.runner.close)
        if self._failure:
            raise self._failure
        _log.info("stopped in good order")
        return 0

    def _load(self, loop: asyncio.AbstractEventLoop, server: uvicorn.Server) -> None:
        """Prove the components and load the model, side by side, then open the service."""
        try:
            from agentcore.api.runner import Runner
            from agentcore.core import AGENTCore
            from agentcore.integration import default_manager

            importing = threading.Thread(target=_import_heavy, daemon=True)
            importing.start()  # while the children try the native modules
            statuses = default_manager().load()
            importing.join()
            core = AGENTCore(use_model=self._state.need_model)
            self._boot.native(any(s.implementation == "native" for s in statuses.values()))
            if self._state.need_model:
                try:
                    core.load_model()
                except AgentCoreError as error:
                    _log.error("not ready: %s", error)
            args = self._args
            self._state.core = core
            self._state.runner = Runner(
                core, self._state.store, self._metrics, args.workers, args.queue
            )
        except AgentCoreError as error:
            self._failure = error
            loop.call_soon_threadsafe(setattr, server, "should_exit", True)
        except BaseException as error:  # noqa: BLE001  # a thread's death must not go unseen
            _log.exception("loading failed")
            self._failure = AgentCoreError(f"loading failed: {type(error).__name__}: {error}")
            loop.call_soon_threadsafe(setattr, server, "should_exit", True)
        else:
            if not self._state.trouble():
                _log.info("ready, flavor %s", self._state.flavor())

    def _drain(self, loop: asyncio.AbstractEventLoop, server: uvicorn.Server) -> None:
        if self._state.draining:
            server.force_exit = True  # asked twice
            return
        _log.info("draining: at most %d s", self._args.drain_seconds)
        self._state.draining = True
        # A moment in which the proxy sees /readyz turn and kept-alive connections are closed by
        # their own answers, so that none is cut between two requests.
        loop.call_later(1.0, setattr, server, "should_exit", True)


def _import_heavy() -> None:
    with contextlib.suppress(Exception):  # whoever needs them will say what is wrong
        import agentcore.agents.trader
        import agentcore.ml.embeddings  # noqa: F401


def _may_be_native(settings: Settings) -> bool:
    return any(settings.native_mode(name) is not NativeMode.OFF for name in COMPONENTS)


def _obey_guard(boot: Boot, settings: Settings, state: State) -> None:
    """Switch native code off for this process if it died too often with it on."""
    if not boot.active:
        if boot.deaths:
            _log.warning("this release died %d of %d times at start", boot.deaths, DEATHS)
        return
    state.guard_reason = (
        f"boot guard: died {boot.deaths} times within {HEALTHY_SECONDS:g} s of its start with "
        "native code on, so it is off until a healthy period or another release"
    )
    _log.error("%s", state.guard_reason)
    required = [n for n in COMPONENTS if settings.native_mode(n) is NativeMode.REQUIRE]
    if required:
        raise ConfigurationError(
            state.guard_reason, "AGENTCORE_NATIVE=require", "auto, or a release that stays alive"
        )
    for name in COMPONENTS:
        os.environ.pop(f"AGENTCORE_NATIVE_{name.upper()}", None)
    os.environ["AGENTCORE_NATIVE"] = str(NativeMode.OFF)
