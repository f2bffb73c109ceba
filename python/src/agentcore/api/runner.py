"""Runs agents in a bounded pool of threads, and refuses what would only wait.

Parsing and writing JSON happen there too: the event loop must stay free for health checks while
a large request is worked on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from agentcore.api.metrics import Metrics
from agentcore.api.store import RunStore
from agentcore.core import AGENTCore
from agentcore.errors import AgentCoreError, InputError

__all__ = ["BusyError", "RunError", "Runner", "parse_object"]

_log = logging.getLogger(__name__)
R = TypeVar("R")


class BusyError(AgentCoreError):
    """As much work is waiting as may wait."""

    code = "busy"


class RunError(AgentCoreError):
    """An agent failed in a way that nobody foresaw; the log has the cause."""

    code = "internal"


def parse_object(body: bytes, allowed: Mapping[str, type]) -> dict[str, Any]:
    """Read a JSON object that has no other fields than ``allowed`` (name to type).

    Raises:
        InputError: it is no JSON, no object, or has other fields or types.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", "body", "a JSON object") from None
    if not isinstance(value, dict):
        raise InputError("not an object", "body", "a JSON object")
    for name, item in value.items():
        if name not in allowed:
            raise InputError("unknown field", name, "one of " + ", ".join(allowed))
        if not isinstance(item, allowed[name]) or isinstance(item, bool):
            kind = {dict: "an object", list: "a list", str: "a string", int: "a whole number"}
            raise InputError("of another type", name, kind[allowed[name]])
    return value


class Runner:
    """The pool.

    Args:
        core: the agents.
        store: where finished runs are kept.
        metrics: where they are counted.
        workers: runs at the same time.
        waiting: runs that may wait for a worker.
    """

    def __init__(
        self, core: AGENTCore, store: RunStore, metrics: Metrics, workers: int, waiting: int
    ) -> None:
        self._core = core
        self._store = store
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(workers, "agentcore-run")
        self._limit = workers + waiting
        self._active = 0
        self._lock = threading.Lock()

    async def call(self, work: Callable[[], R]) -> R:
        """Do ``work`` in the pool.

        Raises:
            BusyError: there is no room for it.
        """
        with self._lock:
            if self._active >= self._limit:
                self._metrics.refused.inc()
                raise BusyError("too many runs are waiting", "", "a retry in a second")
            self._active += 1
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._counted, work)

    def run(self, name: str, body: bytes) -> bytes:
        """Run an agent on a request body, keep the run, and return its JSON document.

        Raises:
            AgentCoreError: of the agent's own; nothing is kept then.
        """
        request = parse_object(body, {"inputs": dict, "prompt": str})
        inputs, prompt = request.get("inputs", {}), request.get("prompt", "")
        run_id, created, begun = f"run_{uuid.uuid4().hex}", datetime.now(UTC), time.perf_counter()
        try:
            outcome = self._core.run(name, inputs, prompt)
        except AgentCoreError as error:
            self._metrics.runs.labels(name if error.code != "not_found" else "", error.code).inc()
            raise
        except Exception as error:
            _log.exception("%s failed in agent %s", run_id, name)
            self._metrics.runs.labels(name, "failed").inc()
            raise RunError(f"{run_id} failed: {type(error).__name__}", f"agent {name}") from error
        seconds = time.perf_counter() - begun
        answered = outcome.to_dict()
        document = json.dumps(
            {
                "id": run_id,
                "created": created.isoformat(timespec="milliseconds"),
                "seconds": round(seconds, 6),
            }
            | answered,
            ensure_ascii=False,
            allow_nan=False,
        ).encode("utf-8", "surrogatepass")
        self._metrics.runs.labels(outcome.agent or name, answered["status"]).inc()
        self._metrics.run_seconds.labels(outcome.agent or name).observe(seconds)
        if outcome.report and "quotes" in outcome.report.data:
            self._metrics.withheld.inc(outcome.report.data["quotes"]["withheld"])
        try:
            self._store.put(run_id, name, hashlib.sha256(body).hexdigest(), document)
        except sqlite3.Error as error:
            raise RunError(f"the run could not be kept: {error}", "--state-dir") from error
        return document

    def close(self) -> None:
        """Wait for the runs that have begun; those still waiting are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _counted(self, work: Callable[[], R]) -> R:
        try:
            return work()
        finally:
            with self._lock:
                self._active -= 1
