"""A worker: takes jobs of several queues, runs their handlers, and reports what became of them.

Sync handlers run in threads, async ones in one event loop. Leases are extended while a handler
runs. Good jobs are acknowledged together, in the transaction of the next claim.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from agentcore.queue.contract import QueueError, checked_int, checked_seconds
from agentcore.queue.facade import FastTaskQueue, Job

__all__ = ["Bury", "Handler", "Retry", "Worker"]

Result = bytes | str | None
Handler = Callable[[Job], Result] | Callable[[Job], Awaitable[Result]]

_log = logging.getLogger(__name__)
_PAUSE = 0.05
_TROUBLE = 1.0  # seconds to leave a database alone that does not answer


class Retry(Exception):  # noqa: N818
    """Raised by a handler: try again after ``delay`` seconds (by the backoff if not given)."""

    def __init__(self, reason: str = "", delay: float | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


class Bury(Exception):  # noqa: N818
    """Raised by a handler: this job can never succeed."""


class Worker:
    """Runs handlers until it is stopped.

    A handler gets the job; what it returns is the job's result (kept if the job has ``keep``). What
    it raises fails the job. It may run twice, and must bear it.

    Args:
        queue: where the jobs are.
        handlers: by queue name; plain or ``async`` functions.
        slots: the most handlers at one time.
        lease: seconds of a lease; extended each third of it.

    Raises:
        ValueError: there is no handler, or a number is out of range.
    """

    def __init__(
        self,
        queue: FastTaskQueue,
        handlers: Mapping[str, Handler],
        *,
        slots: int = 8,
        lease: float = 60.0,
    ) -> None:
        if not handlers:
            raise ValueError("handlers must name at least one queue")
        checked_int("slots", slots, 1, 1000)
        checked_seconds("lease", lease, 0.1)
        self._queue = queue
        self._handlers = dict(handlers)
        self._slots = slots
        self._lease = lease
        self._stopping = threading.Event()
        self._change = threading.Condition()
        self._running: dict[tuple[int, int], Job] = {}
        self._done: list[Job] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="agentcore-worker", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Run until :meth:`drain` or :meth:`stop`, then until the handlers have ended."""
        with ThreadPoolExecutor(self._slots, "agentcore-handler") as pool:
            side = [threading.Thread(target=self._beat, daemon=True)]
            if any(inspect.iscoroutinefunction(one) for one in self._handlers.values()):
                self._loop = asyncio.new_event_loop()
                side.append(threading.Thread(target=self._loop.run_forever, daemon=True))
            for thread in side:
                thread.start()
            try:
                while not self._stopping.is_set():
                    self._round(pool)
                with self._change:
                    while self._running:
                        self._change.wait(_PAUSE)
                self._flush()
            finally:
                self._stopping.set()
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(self._loop.stop)
                for thread in side:
                    thread.join()
                if self._loop is not None:
                    self._loop.close()

    def stop(self) -> None:
        """Take no more jobs; do not wait."""
        self._stopping.set()
        with self._change:
            self._change.notify_all()

    def drain(self, timeout: float = 30.0) -> bool:
        """Take no more jobs and wait for those that run; tell whether all ended in time.

        What has not ended keeps its lease and is delivered again when that is over.
        """
        self.stop()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        end = time.monotonic() + timeout
        with self._change:
            while self._running and time.monotonic() < end:
                self._change.wait(_PAUSE)
            return not self._running

    def _round(self, pool: ThreadPoolExecutor) -> None:
        """Claim for each queue once as many jobs as there are free slots."""
        found = False
        for name, handler in self._handlers.items():
            with self._change:
                while len(self._running) >= self._slots and not self._stopping.is_set():
                    self._change.wait(_PAUSE)
                free = self._slots - len(self._running)
                done, self._done = self._done, []
            if self._stopping.is_set():
                self._done += done
                return
            alone = len(self._handlers) == 1 and not done
            try:
                jobs = self._queue.claim(
                    name, free, lease=self._lease, wait=_PAUSE if alone else 0.0, done=done
                )
            except QueueError as error:
                _log.warning("can not claim from %s: %s", name, error)
                with self._change:
                    self._done += done
                self._stopping.wait(_TROUBLE)
                continue
            found = found or bool(jobs) or bool(done)
            for job in jobs:
                with self._change:
                    self._running[job.id, job.lease] = job
                self._begin(pool, handler, job)
        if not found:
            self._stopping.wait(_PAUSE)

    def _begin(self, pool: ThreadPoolExecutor, handler: Any, job: Job) -> None:
        future: Future[Any]
        if inspect.iscoroutinefunction(handler):
            assert self._loop is not None  # noqa: S101
            future = asyncio.run_coroutine_threadsafe(handler(job), self._loop)
        else:
            future = pool.submit(handler, job)
        future.add_done_callback(lambda ended: self._end(job, ended))

    def _end(self, job: Job, ended: Future[Any]) -> None:
        try:
            self._report(job, ended)
        except QueueError as error:
            _log.warning("can not report job %d: %s", job.id, error)
        finally:
            with self._change:
                self._running.pop((job.id, job.lease), None)
                self._change.notify_all()

    def _report(self, job: Job, ended: Future[Any]) -> None:
        error = ended.exception()
        if error is None:
            result = ended.result()
            if result is None:
                with self._change:
                    self._done.append(job)
            elif not self._queue.ack(job, result):
                _log.warning("job %d ended after its lease", job.id)
            return
        _log.info("job %d of %s failed: %r", job.id, job.queue, error)
        text = f"{type(error).__name__}: {error}"
        delay = error.delay if isinstance(error, Retry) else None
        self._queue.fail(job, text, delay=delay, bury=isinstance(error, Bury))

    def _beat(self) -> None:
        while True:
            last = self._stopping.wait(self._lease / 3) and not self._running
            with self._change:
                jobs = list(self._running.values())
            for job in jobs:
                try:
                    if not self._queue.extend(job, self._lease):
                        _log.warning("the lease of job %d is lost", job.id)
                except QueueError as error:
                    _log.warning("can not extend job %d: %s", job.id, error)
            if last or (self._stopping.is_set() and not jobs):
                return
            if self._stopping.is_set():
                time.sleep(min(self._lease / 3, _PAUSE))

    def _flush(self) -> None:
        with self._change:
            done, self._done = self._done, []
        if done:
            try:
                self._queue.ack_many(done)
            except QueueError as error:
                _log.warning("%d jobs are done and will be delivered again: %s", len(done), error)
