"""The queue in pure Python: the reference that the native one must equal.

Concurrent enqueues share a transaction, and so a flush of the disk: who waits for the lock finds
its jobs committed by the one who had it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from agentcore.queue import contract as c
from agentcore.queue.admin import Admin
from agentcore.queue.cron import Cron
from agentcore.queue.engine import Draft, Tx
from agentcore.queue.postgres import PostgresDb
from agentcore.queue.sqlite import SqliteDb

__all__ = ["Cron", "Job", "Queue"]

T = TypeVar("T")
_POLL_SECONDS = 0.02
_Add = tuple[int, Draft]


class Job:
    """A leased job; see :class:`agentcore.queue.contract.JobInfo` for what it is made of."""

    __slots__ = ("_keep", "attempt", "deadline", "id", "key", "lease", "max_attempts", "payload",
                 "queue")  # fmt: skip

    def __init__(
        self, queue: str, id_: int, lease: int, attempt: int, max_attempts: int, keep: int,
        key: str | None, payload: bytes, deadline: float,
    ) -> None:  # fmt: skip
        self.queue = queue
        self.id = id_
        self.lease = lease
        self.attempt = attempt
        self.max_attempts = max_attempts
        self._keep = keep
        self.key = key
        self.payload = payload
        self.deadline = deadline

    def __repr__(self) -> str:
        return f"<Job {self.id} of {self.queue!r}, attempt {self.attempt}/{self.max_attempts}>"


class _Waiting:
    """An enqueue that waits for its commit."""

    __slots__ = ("add", "done", "error", "ids")

    def __init__(self, add: _Add) -> None:
        self.add = add
        self.done = False
        self.ids: list[int] = []
        self.error: BaseException | None = None


class Queue:
    """A task queue in a SQLite file or a PostgreSQL database."""

    def __init__(
        self,
        target: str,
        durability: str = "full",
        clock: Callable[[], float] | None = None,
        jitter: Callable[[], float] | None = None,
        on_fault: Any = None,  # noqa: ARG002
        error: type[c.QueueError] = c.QueueError,  # noqa: ARG002
    ) -> None:
        full = durability == "full"
        postgres = target.startswith(("postgresql://", "postgres://"))
        self._db: Any = PostgresDb(target, full) if postgres else SqliteDb(target, full)
        self._notify: Any = getattr(self._db, "notify", None)
        self._engine = Admin()
        self._clock = time.time if clock is None else clock
        self._jitter = random.random if jitter is None else jitter
        self._waiting: list[_Waiting] = []
        self._gate = threading.Lock()
        self._committing = threading.Lock()
        self._added = threading.Condition()

    def _now(self) -> int:
        return c.to_ms(self._clock())

    def _do(self, work: Callable[[Tx], T], *, durable: bool = False) -> T:
        try:
            answer: T = self._db.transaction(work, durable=durable)
        except BaseException:
            self._engine.forget()
            raise
        return answer

    def enqueue(  # noqa: D102
        self, queue: str, payload: bytes | str = b"", *, priority: int = 0, delay: float = 0.0,
        key: str | None = None, max_attempts: int = 5, backoff: float = 1.0, keep: float = 0.0,
    ) -> int:  # fmt: skip
        payloads = [c.checked_bytes("payload", _or(payload, b""))]
        draft = _draft(queue, payloads, priority, delay, key, max_attempts, backoff, keep)
        return self._add(draft)[0]

    def enqueue_many(  # noqa: D102
        self, queue: str, payloads: Iterable[bytes | str], *, priority: int = 0,
        delay: float = 0.0, max_attempts: int = 5, backoff: float = 1.0, keep: float = 0.0,
    ) -> list[int]:  # fmt: skip
        checked = [c.checked_bytes(f"payloads[{at}]", one) for at, one in enumerate(payloads)]
        c.checked_int("the number of payloads", len(checked), 0, c.MAX_BATCH)
        draft = _draft(queue, checked, priority, delay, None, max_attempts, backoff, keep)
        return self._add(draft) if checked else []

    def _add(self, draft: Draft) -> list[int]:
        own = _Waiting((self._now(), draft))
        with self._gate:
            self._waiting.append(own)
        with self._committing:
            if not own.done:
                with self._gate:
                    together, self._waiting = self._waiting, []
                self._commit(together)
        if own.error is not None:
            raise own.error
        with self._added:
            self._added.notify_all()
        return own.ids

    def _commit(self, together: list[_Waiting]) -> None:
        def work(tx: Tx) -> None:
            # Keys in one order everywhere, or two processes wait for each other's.
            for one in sorted(together, key=_by_key):
                one.ids = self._engine.enqueue(tx, *one.add)
            if self._notify:
                self._notify(tx)

        error = None
        try:
            self._do(work, durable=True)
        except BaseException as raised:  # noqa: BLE001
            error = raised
        for one in together:
            one.error = error
            one.done = True

    def claim(  # noqa: D102
        self, queue: str, limit: int = 1, *, lease: float = 60.0, wait: float = 0.0,
        done: Iterable[Job] = (),
    ) -> list[Job]:  # fmt: skip
        c.checked_name("queue", queue)
        limit = c.checked_int("limit", _or(limit, 1), 1, c.MAX_BATCH)
        lease_ms = c.checked_seconds("lease", _or(lease, 60.0), 0.001)
        end = time.monotonic() + c.checked_seconds("wait", _or(wait, 0.0)) / 1000
        acked = [_job(job) for job in _or(done, ())]
        while True:
            seen = self._db.changed()
            jobs = self._claim(queue, limit, lease_ms, acked)
            left = end - time.monotonic()
            if jobs or left <= 0:
                return jobs
            acked = []
            self._pause(seen, left)

    def _claim(self, queue: str, limit: int, lease: int, done: list[Job]) -> list[Job]:
        now = self._now()

        def work(tx: Tx) -> list[Job]:
            for job in done:
                self._engine.ack(tx, now, job, None)
            deadline = (now + lease) / 1000
            rows = self._engine.claim(tx, now, queue, limit, lease)
            return [Job(queue, *row, deadline) for row in rows]

        return self._do(work)

    def _pause(self, seen: object, left: float) -> None:
        """Wait a moment, less if something was enqueued meanwhile."""
        if self._notify:
            self._db.wait(min(left, 0.25))
            return
        until = time.monotonic() + min(left, 0.25)
        with self._added:
            while time.monotonic() < until:
                if self._added.wait(_POLL_SECONDS) or self._db.changed() != seen:
                    return

    def ack(self, job: Job, result: bytes | str | None = None) -> bool:  # noqa: D102
        checked = None if result is None else c.checked_bytes("result", result)
        return self._do(lambda tx: self._engine.ack(tx, self._now(), _job(job), checked))

    def ack_many(self, jobs: Iterable[Job]) -> int:  # noqa: D102
        now, jobs = self._now(), [_job(job) for job in jobs]
        return self._do(lambda tx: sum(self._engine.ack(tx, now, job, None) for job in jobs))

    def fail(  # noqa: D102
        self, job: Job, error: str = "", *, delay: float | None = None, bury: bool = False
    ) -> str:
        text = c.checked_text("error", _or(error, ""))
        wait = None if delay is None else c.checked_seconds("delay", delay)
        now, jitter = self._now(), self._jitter() if delay is None else 0.0
        return self._do(lambda tx: self._engine.fail(tx, now, _job(job), text, wait, bury, jitter))

    def extend(self, job: Job, lease: float = 60.0) -> bool:  # noqa: D102
        lease_ms, now = c.checked_seconds("lease", _or(lease, 60.0), 0.001), self._now()
        return self._do(lambda tx: self._engine.extend(tx, now, _job(job), lease_ms))

    def cancel(self, id: int) -> bool:  # noqa: A002, D102
        return self._do(lambda tx: self._engine.cancel(tx, self._now(), _id(id)))

    def bury(self, id: int, error: str = "buried") -> bool:  # noqa: A002, D102
        text = c.checked_text("error", _or(error, "buried"))
        return self._do(lambda tx: self._engine.bury(tx, self._now(), _id(id), text))

    def retry(self, id: int) -> bool:  # noqa: A002, D102
        return self._do(lambda tx: self._engine.retry(tx, self._now(), _id(id)))

    def get(self, id: int) -> tuple[Any, ...] | None:  # noqa: A002, D102
        return self._do(lambda tx: self._engine.get(tx, self._now(), _id(id)))

    def jobs(  # noqa: D102
        self, queue: str | None = None, state: str | None = None, *, limit: int = 100,
        after: int = 0,
    ) -> list[tuple[Any, ...]]:  # fmt: skip
        name = None if queue is None else c.checked_name("queue", queue)
        number = None if state is None else c.checked_state(state)
        limit = c.checked_int("limit", _or(limit, 100), 1, c.MAX_BATCH)
        after = _id(_or(after, 0))
        return self._do(
            lambda tx: self._engine.list_jobs(tx, self._now(), name, number, limit, after)
        )

    def counts(self) -> dict[str, dict[str, int]]:  # noqa: D102
        return self._do(lambda tx: self._engine.counts(tx, self._now()))

    def purge(self, queue: str, state: str, *, older_than: float = 0.0) -> int:  # noqa: D102
        name, number = c.checked_name("queue", queue), c.checked_state(state)
        age = c.checked_seconds("older_than", _or(older_than, 0.0))
        return self._do(lambda tx: self._engine.purge(tx, self._now(), name, number, age))

    def limit(  # noqa: D102
        self, queue: str, *, concurrency: int | None = None, rate: float | None = None,
        burst: int = 1,
    ) -> None:  # fmt: skip
        name, most, gap = c.checked_name("queue", queue), concurrency, None
        if most is not None:
            c.checked_int("concurrency", most, 1, c.MAX_ATTEMPTS)
        if rate is not None:
            gap = c.checked_gap(rate)
        burst = c.checked_int("burst", _or(burst, 1), 1, c.MAX_ATTEMPTS)
        self._do(lambda tx: self._engine.limit(tx, name, most, gap, burst))

    def pause(self, queue: str) -> None:  # noqa: D102
        name = c.checked_name("queue", queue)
        self._do(lambda tx: self._engine.pause(tx, name, True))

    def resume(self, queue: str) -> None:  # noqa: D102
        name = c.checked_name("queue", queue)
        self._do(lambda tx: self._engine.pause(tx, name, False))

    def queues(self) -> list[tuple[Any, ...]]:  # noqa: D102
        return self._do(self._engine.queues)

    def schedule(  # noqa: D102
        self, name: str, expression: str, queue: str, payload: bytes | str = b"", *,
        priority: int = 0, max_attempts: int = 5, backoff: float = 1.0, keep: float = 0.0,
    ) -> None:  # fmt: skip
        c.checked_name("name", name)
        c.checked_name("expression", expression)
        payloads = [c.checked_bytes("payload", _or(payload, b""))]
        draft = _draft(queue, payloads, priority, 0.0, None, max_attempts, backoff, keep)
        self._do(lambda tx: self._engine.schedule(tx, self._now(), name, expression, draft))

    def unschedule(self, name: str) -> bool:  # noqa: D102
        c.checked_name("name", name)
        return self._do(lambda tx: self._engine.unschedule(tx, name))

    def schedules(self) -> list[tuple[Any, ...]]:  # noqa: D102
        return self._do(self._engine.schedules)

    @property
    def admin(self) -> Queue:
        """The calls of an operator: here they are the queue's own."""
        return self

    def close(self) -> None:  # noqa: D102
        self._db.close()


def _by_key(one: _Waiting) -> tuple[str, str]:
    draft = one.add[1]
    return ("", "") if draft.key is None else (draft.queue, draft.key)


def _or(value: Any, default: Any) -> Any:
    """Let None mean the default, as it does for the native queue."""
    return default if value is None else value


def _job(value: Any) -> Any:
    """Take a job of either implementation: a queue that fell back is handed native ones."""
    if not hasattr(value, "_keep"):
        raise TypeError(f"job must be a Job, got {type(value).__name__}")
    return value


def _id(value: Any) -> int:
    return c.checked_int("id", value, 0, 2**63 - 2)


def _draft(
    queue: Any, payloads: list[bytes], priority: Any, delay: Any, key: Any, max_attempts: Any,
    backoff: Any, keep: Any,
) -> Draft:  # fmt: skip
    return Draft(
        c.checked_name("queue", queue),
        payloads,
        c.checked_int("priority", _or(priority, 0), -c.MAX_PRIORITY, c.MAX_PRIORITY),
        c.checked_seconds("delay", _or(delay, 0.0)),
        None if key is None else c.checked_name("key", key),
        c.checked_int("max_attempts", _or(max_attempts, 5), 1, c.MAX_ATTEMPTS),
        c.checked_seconds("backoff", _or(backoff, 1.0)),
        c.checked_seconds("keep", _or(keep, 0.0)),
    )
