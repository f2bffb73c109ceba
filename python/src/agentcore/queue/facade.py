"""FastTaskQueue: what callers use; they can't tell which implementation answers.

The facade binds the methods of the implementation it was given, so a good call has no Python
frame of ours on its way. When native code panics, it closes its file, asks the bridge for a twin,
and that one answers, on the same file: no job is lost.

Two copies of SQLite in one process must not work one file (they undo each other's locks), so a
process has a file open either natively or in Python. Other processes are free to differ.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, get_args

from agentcore.integration import (
    TRIPPED,
    Bridge,
    Implementation,
    RustIntegrationManager,
    default_manager,
)
from agentcore.queue import twin
from agentcore.queue.contract import (
    Durability,
    JobInfo,
    QueueError,
    QueueSettings,
    Schedule,
    State,
)

__all__ = ["FastTaskQueue", "Job"]

COMPONENT = "agent_core_utils"
POSTGRES = ("postgresql://", "postgres://")

_places: dict[str, weakref.WeakSet[FastTaskQueue]] = {}
_places_lock = threading.RLock()


class Job(Protocol):
    """A leased job.

    Attributes:
        id: its number, above 0.
        queue: the queue's name.
        payload: what was enqueued.
        key: its key, or None.
        attempt: which attempt this is, from 1.
        max_attempts: the last one.
        lease: which lease of this job this is, from 1; with ``id`` unique for ever.
        deadline: when the lease ends, in seconds since 1970, unless it is extended.
    """

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def queue(self) -> str: ...  # noqa: D102
    @property
    def payload(self) -> bytes: ...  # noqa: D102
    @property
    def key(self) -> str | None: ...  # noqa: D102
    @property
    def attempt(self) -> int: ...  # noqa: D102
    @property
    def max_attempts(self) -> int: ...  # noqa: D102
    @property
    def lease(self) -> int: ...  # noqa: D102
    @property
    def deadline(self) -> float: ...  # noqa: D102


def _twin(options: tuple[Any, ...], place: str) -> twin.Queue:
    """Return a queue of the twin; no native one may have the file open in this process."""
    with _places_lock:
        for other in list(_places.get(place, ())):
            other._close_native()
        return twin.Queue(*options)


class FastTaskQueue:
    """A task queue: at least once, with leases. Safe under threads, and across processes.

    See :mod:`agentcore.queue.contract` for what it promises.

    Args:
        target: a file's path, or ``postgresql://USER@HOST/DATABASE`` (``?host=/FOLDER`` for a
            Unix socket). TLS to PostgreSQL is not offered.
        durability: ``"full"`` or ``"relaxed"``: whether an enqueue waits for the disk.
        clock: gives seconds since 1970; the system's if not given. All who work one queue
            need clocks that agree.
        jitter: gives 0.0 to below 1.0, to spread retries; random if not given.
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is not acceptable.
        QueueError: the file or the database can not be used; or this process has the file open
            by the other implementation.
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(
        self,
        target: str | Path,
        *,
        durability: Durability = "full",
        clock: Callable[[], float] | None = None,
        jitter: Callable[[], float] | None = None,
        manager: RustIntegrationManager | None = None,
    ) -> None:
        if not isinstance(target, (str, Path)):
            raise TypeError(f"target must be str or Path, got {type(target).__name__}")
        if durability not in get_args(Durability):
            raise ValueError(f"durability must be 'full' or 'relaxed', got {durability!r}")
        for name, given in (("clock", clock), ("jitter", jitter)):
            if given is not None and not callable(given):
                raise TypeError(f"{name} must be callable, got {type(given).__name__}")
        target = str(target)
        manager = default_manager() if manager is None else manager
        native = manager.native(COMPONENT)
        options = (target, durability, clock, jitter)
        place = target if target.startswith(POSTGRES) else str(Path(target).resolve())
        self._place = place
        self._bridge = Bridge(manager, COMPONENT, partial(_twin, options, place))
        with _places_lock:
            others = list(_places.get(place, ())) if not target.startswith(POSTGRES) else []
            if native is None and any(other.implementation == "native" for other in others):
                raise QueueError(
                    "this process has the file open natively", place, "one implementation a process"
                )
            self._core: Any
            if native is None or any(other.implementation == "python" for other in others):
                self._bridge.crossed = True
                self._core = twin.Queue(*options)
            else:
                self._core = native.Queue(*options, self._bridge, QueueError)
                manager.on_trip(COMPONENT, self._on_trip)
            _places.setdefault(place, weakref.WeakSet()).add(self)
        self._admin = self._core.admin
        # Instance attributes shadow the documented methods below: one frame less a call.
        for hot in ("enqueue", "enqueue_many", "claim", "ack", "ack_many", "fail", "extend"):
            setattr(self, hot, getattr(self._core, hot))

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return self._bridge.implementation

    def enqueue(
        self,
        queue: str,
        payload: bytes | str = b"",
        *,
        priority: int = 0,
        delay: float = 0.0,
        key: str | None = None,
        max_attempts: int = 5,
        backoff: float = 1.0,
        keep: float = 0.0,
    ) -> int:
        """Add a job; return its id when it is committed.

        Args:
            queue: the queue's name; it is made when first used.
            payload: what the handler gets; a str as its UTF-8.
            priority: -100 to 100, highest first.
            delay: seconds before it may run.
            key: while a job with this key is unfinished, nothing is added and its id returned.
            max_attempts: leases after which it is dead.
            backoff: seconds the first failure waits; doubled by each further one.
            keep: seconds that it is kept with its result once it is done or cancelled.
        """
        return int(self._core.enqueue(
            queue, payload, priority=priority, delay=delay, key=key,
            max_attempts=max_attempts, backoff=backoff, keep=keep,
        ))  # fmt: skip

    def enqueue_many(
        self,
        queue: str,
        payloads: Iterable[bytes | str],
        *,
        priority: int = 0,
        delay: float = 0.0,
        max_attempts: int = 5,
        backoff: float = 1.0,
        keep: float = 0.0,
    ) -> list[int]:
        """Add a job for each payload in one transaction; return their ids in order."""
        ids: list[int] = self._core.enqueue_many(
            queue, payloads, priority=priority, delay=delay,
            max_attempts=max_attempts, backoff=backoff, keep=keep,
        )  # fmt: skip
        return ids

    def claim(
        self,
        queue: str,
        limit: int = 1,
        *,
        lease: float = 60.0,
        wait: float = 0.0,
        done: Iterable[Job] = (),
    ) -> list[Job]:
        """Acknowledge ``done`` and lease up to ``limit`` jobs, in one transaction.

        Args:
            queue: the queue's name.
            limit: the most jobs.
            lease: seconds that they are the caller's.
            wait: seconds to wait for a first job.
            done: jobs of any queue that are finished; kept ones without a result.
        """
        jobs: list[Job] = self._core.claim(queue, limit, lease=lease, wait=wait, done=done)
        return jobs

    def ack(self, job: Job, result: bytes | str | None = None) -> bool:
        """Finish a job well; False if the lease is no longer the job's own."""
        return bool(self._core.ack(job, result))

    def ack_many(self, jobs: Iterable[Job]) -> int:
        """Finish jobs well, in one transaction; return how many leases were still good."""
        return int(self._core.ack_many(jobs))

    def fail(
        self, job: Job, error: str = "", *, delay: float | None = None, bury: bool = False
    ) -> str:
        """Give a job back; return its new state: delayed, ready or dead; or ``lost``."""
        return str(self._core.fail(job, error, delay=delay, bury=bury))

    def extend(self, job: Job, lease: float = 60.0) -> bool:
        """Let the lease end ``lease`` seconds from now; False if it is no longer the job's own."""
        return bool(self._core.extend(job, lease))

    def consume(
        self, queue: str, *, lease: float = 60.0, wait: float = 0.0, batch: int = 32
    ) -> Iterator[Job]:
        """Yield jobs one by one until there are none; asking for the next acknowledges the last.

        Up to ``batch`` jobs are leased, and acknowledged, together. What was leased and not yielded
        when the loop ends is given back at once; the job at which it was left keeps its lease.
        """
        done: list[Job] = []
        left: list[Job] = []
        try:
            while left := self.claim(queue, batch, lease=lease, wait=wait, done=done):
                done = []
                left.reverse()
                while left:
                    job = left.pop()
                    yield job
                    done.append(job)
            done = []
        finally:
            if done:
                self.ack_many(done)
            for job in left:
                self.fail(job, "given back before it began", delay=0.0)

    def cancel(self, id: int) -> bool:  # noqa: A002
        """Take out a job that is not finished; a running one loses its lease."""
        return bool(self._admin.cancel(id))

    def bury(self, id: int, error: str = "buried") -> bool:  # noqa: A002
        """Make a job that is not finished dead."""
        return bool(self._admin.bury(id, error))

    def retry(self, id: int) -> bool:  # noqa: A002
        """Make a dead, cancelled, kept or delayed job ready, with all its attempts."""
        return bool(self._admin.retry(id))

    def get(self, id: int) -> JobInfo | None:  # noqa: A002
        """Return what is known of a job; None if there is none (any more)."""
        found = self._admin.get(id)
        return None if found is None else JobInfo(*found)

    def jobs(
        self,
        queue: str | None = None,
        state: State | None = None,
        *,
        limit: int = 100,
        after: int = 0,
    ) -> list[JobInfo]:
        """Return jobs in the order of their ids, those above ``after``: a page of a listing."""
        found = self._admin.jobs(queue, state, limit=limit, after=after)
        return [JobInfo(*row) for row in found]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many jobs each queue has in each state."""
        found: dict[str, dict[str, int]] = self._admin.counts()
        return found

    def purge(self, queue: str, state: State, *, older_than: float = 0.0) -> int:
        """Delete jobs of a state, enqueued at least ``older_than`` seconds ago; return how many."""
        return int(self._admin.purge(queue, state, older_than=older_than))

    def limit(
        self,
        queue: str,
        *,
        concurrency: int | None = None,
        rate: float | None = None,
        burst: int = 1,
    ) -> None:
        """Set both limits of a queue: leases at one time, and leases a second."""
        self._admin.limit(queue, concurrency=concurrency, rate=rate, burst=burst)

    def pause(self, queue: str) -> None:
        """Hand out no more jobs of a queue; what runs may end."""
        self._admin.pause(queue)

    def resume(self, queue: str) -> None:
        """Hand out jobs again."""
        self._admin.resume(queue)

    def queues(self) -> list[QueueSettings]:
        """Return the settings of each queue, by name."""
        return [QueueSettings(*row) for row in self._admin.queues()]

    def schedule(
        self,
        name: str,
        expression: str,
        queue: str,
        payload: bytes | str = b"",
        *,
        priority: int = 0,
        max_attempts: int = 5,
        backoff: float = 1.0,
        keep: float = 0.0,
    ) -> None:
        """Enqueue a job whenever ``expression`` comes true, UTC; replaces a schedule of the name.

        See :mod:`agentcore.queue.cron` for the expression.
        """
        self._admin.schedule(
            name, expression, queue, payload,
            priority=priority, max_attempts=max_attempts, backoff=backoff, keep=keep,
        )  # fmt: skip

    def unschedule(self, name: str) -> bool:
        """Remove a schedule; tell whether there was one."""
        return bool(self._admin.unschedule(name))

    def schedules(self) -> list[Schedule]:
        """Return the schedules, by name."""
        return [Schedule(*row) for row in self._admin.schedules()]

    def close(self) -> None:
        """Close the file or the connections; later calls raise QueueError."""
        self._core.close()
        with _places_lock:
            if self._place in _places:
                _places[self._place].discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        from agentcore.queue.postgres import shown

        return f"<FastTaskQueue {shown(self._place)}, {self.implementation}>"

    def _close_native(self) -> None:
        if not self._bridge.crossed and hasattr(self._core, "_close_native"):
            self._core._close_native()
            self._bridge.crossed = True

    def _on_trip(self) -> None:
        if not self._bridge.crossed:
            self._core.fall_back(TRIPPED)
