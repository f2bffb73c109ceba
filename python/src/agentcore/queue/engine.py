"""What the queue's calls do to the database, once for SQLite and PostgreSQL.

Ready jobs stand in ``ready``, everything else in ``held``. A job's id is its place in line: the
queue's number, the priority turned around, then a sequence number, so that ``ready`` needs no
further index and an enqueue touches one page. The native twin is `queue/engine.rs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from agentcore.queue.contract import MAX_PRIORITY, SETTLE_LIMIT, QueueError, backoff_ms
from agentcore.queue.cron import Cron

__all__ = ["Draft", "Engine", "Leased", "Tx"]

DELAYED, READY, RUNNING, DONE, DEAD, CANCELLED = range(6)
QUEUE_SHIFT, LANE_SHIFT = 48, 40
MOST_QUEUES = (1 << 15) - 1
SENTINEL = (1 << LANE_SHIFT) - 1
COLUMNS = "lease, attempts, max_attempts, backoff, keep, created, key, payload, error"
EXPIRED = "lease expired"
_KEY_TRIES = 100  # each one lost to another process that had the key and freed it


class Tx(Protocol):
    """An open transaction."""

    skip: str
    lock: str

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run one statement; return its rows."""

    def count(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement; return how many rows it changed."""

    def sequence(self, lane: int, count: int) -> list[int]:
        """Return so many new sequence numbers of a lane."""

    def take(self, queue: int, limit: int, deadline: int) -> list[Any]:
        """Move ready jobs to ``held`` as running; return the columns of :class:`Leased`."""


class Draft(NamedTuple):
    """Jobs to enqueue that differ only in their payload. Times in ms."""

    queue: str
    payloads: Sequence[bytes]
    priority: int
    delay: int
    key: str | None
    max_attempts: int
    backoff: int
    keep: int


class Leased(NamedTuple):
    """A row of a claim."""

    id: int
    lease: int
    attempts: int
    max_attempts: int
    keep: int
    key: str | None
    payload: bytes


class Engine:
    """Knows the queues' numbers, which never change."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def forget(self) -> None:
        """Forget what a transaction that was rolled back may have made."""
        self._numbers.clear()

    def number(self, tx: Tx, name: str, *, make: bool = False) -> int | None:
        """Return a queue's number; None if there is no such queue and none shall be made."""
        known = self._numbers.get(name)
        if known is not None:
            return known
        rows = tx.run("SELECT no FROM queues WHERE name = ?", (name,))
        if not rows:
            if not make:
                return None
            tx.count("INSERT INTO queues(name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            rows = tx.run("SELECT no FROM queues WHERE name = ?", (name,))
            if rows[0][0] > MOST_QUEUES:
                raise ValueError(f"there can be at most {MOST_QUEUES} queues")
        self._numbers[name] = int(rows[0][0])
        return self._numbers[name]

    def enqueue(self, tx: Tx, now: int, draft: Draft) -> list[int]:
        """Add jobs; return their ids, or that of the job which has the key already."""
        queue = self.number(tx, draft.queue, make=True)
        assert queue is not None  # noqa: S101
        return self.add(tx, now, queue, draft)

    def add(self, tx: Tx, now: int, queue: int, draft: Draft) -> list[int]:
        """Add jobs to a queue by its number."""
        if not draft.payloads:
            return []
        lane = queue << QUEUE_SHIFT | (MAX_PRIORITY - draft.priority) << LANE_SHIFT
        if draft.key is None:
            ids = [lane | number for number in tx.sequence(lane, len(draft.payloads))]
        else:
            id_, new = self._own_key(tx, queue, lane, draft.key)
            if not new:
                return [id_] * len(draft.payloads)
            ids = [id_]
        rest = (draft.max_attempts, draft.backoff, draft.keep, now, draft.key)
        for id_, payload in zip(ids, draft.payloads, strict=False):
            if draft.delay:
                tx.count(
                    f"INSERT INTO held(id, queue, state, due, {COLUMNS})"
                    " VALUES (?, ?, 0, ?, 0, 0, ?, ?, ?, ?, ?, ?, NULL)",
                    (id_, queue, now + draft.delay, *rest, payload),
                )
            else:
                tx.count(
                    f"INSERT INTO ready(id, {COLUMNS}) VALUES (?, 0, 0, ?, ?, ?, ?, ?, ?, NULL)",
                    (id_, *rest, payload),
                )
        return ids if draft.key is None else ids * len(draft.payloads)

    def _own_key(self, tx: Tx, queue: int, lane: int, key: str) -> tuple[int, bool]:
        """Return the id of the job that has the key, and whether it is a new one."""
        find = "SELECT id FROM keys WHERE queue = ? AND key = ?"
        take = "INSERT INTO keys(queue, key, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        for _ in range(_KEY_TRIES):
            known = tx.run(find, (queue, key))
            if known:
                return known[0][0], False
            id_ = lane | tx.sequence(lane, 1)[0]
            if tx.count(take, (queue, key, id_)):
                return id_, True
        raise QueueError(f"the key {key!r} is fought over", "keys", "fewer producers of one key")

    def claim(self, tx: Tx, now: int, name: str, limit: int, lease: int) -> list[Leased]:
        """Settle what is due, then lease the first jobs that the limits allow."""
        queue = self.number(tx, name)
        if queue is None:
            return []
        look = (
            "SELECT paused, concurrency, interval_us, burst, tat_us, cron_due, EXISTS("
            "SELECT 1 FROM held WHERE queue = ? AND state IN (0, 2, 3, 5) AND due <= ?)"
            " FROM queues WHERE no = ?"
        )
        row = tx.run(look, (queue, now, queue))[0]
        if row[6] or (row[5] is not None and row[5] <= now):
            self.settle(tx, now, queue)
        paused, concurrency, interval, burst, tat = row[:5]
        limited = concurrency is not None or interval is not None
        if limited and tx.lock:
            locked = tx.run(look + tx.lock, (queue, now, queue))[0]
            paused, concurrency, interval, burst, tat = locked[:5]
        if paused:
            return []
        if concurrency is not None:
            running = tx.run("SELECT count(*) FROM held WHERE queue = ? AND state = 2", (queue,))[
                0
            ][0]
            limit = min(limit, concurrency - running)
        start = max(tat, now * 1000)
        if interval is not None:
            limit = min(limit, (now * 1000 + burst * interval - start) // interval)
        if limit <= 0:
            return []
        rows = [Leased(*row) for row in tx.take(queue, limit, now + lease)]
        if interval is not None and rows:
            tx.count(
                "UPDATE queues SET tat_us = ? WHERE no = ?", (start + len(rows) * interval, queue)
            )
        return rows

    def settle(self, tx: Tx, now: int, queue: int) -> None:
        """Promote, expire and forget what is due; enqueue what is scheduled."""
        for state in (DELAYED, RUNNING, DONE, CANCELLED):
            rows = tx.run(
                "SELECT id, due, attempts, max_attempts, key FROM held WHERE queue = ?"
                f" AND state = ? AND due <= ? ORDER BY due, id LIMIT {SETTLE_LIMIT}{tx.skip}",
                (queue, state, now),
            )
            for id_, due, attempts, most, key in rows:
                if state == RUNNING and attempts >= most:
                    self.finish(tx, queue, id_, key, DEAD, due, EXPIRED)
                elif state in (DELAYED, RUNNING):
                    if state == RUNNING:
                        tx.count("UPDATE held SET error = ? WHERE id = ?", (EXPIRED, id_))
                    self.to_ready(tx, id_)
                else:
                    tx.count("DELETE FROM held WHERE id = ?", (id_,))
        due = tx.run(
            "SELECT name, expression, payload, priority, max_attempts, backoff, keep FROM crons"
            f" WHERE queue = ? AND next <= ? ORDER BY name{tx.skip}",
            (queue, now),
        )
        for name, expression, payload, priority, most, backoff, keep in due:
            draft = Draft("", [payload], priority, 0, f"cron:{name}", most, backoff, keep)
            self.add(tx, now, queue, draft)
            after = Cron(expression).after(now)
            if after is None:
                tx.count("DELETE FROM crons WHERE name = ?", (name,))
            else:
                tx.count("UPDATE crons SET next = ? WHERE name = ?", (after, name))
        if due:
            self.note_cron(tx, queue)

    def note_cron(self, tx: Tx, queue: int) -> None:
        """Write down when the queue's first schedule is due."""
        tx.count(
            "UPDATE queues SET cron_due = (SELECT min(next) FROM crons WHERE queue = ?)"
            " WHERE no = ?",
            (queue, queue),
        )

    def to_ready(self, tx: Tx, id_: int) -> None:
        """Move a job from ``held`` into its place in line."""
        tx.count(
            f"INSERT INTO ready(id, {COLUMNS}) SELECT id, {COLUMNS} FROM held WHERE id = ?",
            (id_,),
        )
        tx.count("DELETE FROM held WHERE id = ?", (id_,))

    def finish(
        self, tx: Tx, queue: int, id_: int, key: str | None, state: int, due: int, error: str | None
    ) -> None:
        """Give a held job its last state, and its key free."""
        tx.count(
            "UPDATE held SET state = ?, due = ?, error = ? WHERE id = ?", (state, due, error, id_)
        )
        self.free_key(tx, queue, id_, key)

    def free_key(self, tx: Tx, queue: int, id_: int, key: str | None) -> None:
        """Let the job's key be used again."""
        if key is not None:
            tx.count("DELETE FROM keys WHERE queue = ? AND key = ? AND id = ?", (queue, key, id_))

    def ack(self, tx: Tx, now: int, job: Any, result: bytes | None) -> bool:
        """Finish a leased job well; tell whether the lease was still its own."""
        if job._keep:
            changed = tx.count(
                "UPDATE held SET state = 3, due = ?, result = ?, error = NULL"
                " WHERE id = ? AND lease = ? AND state = 2",
                (now + job._keep, result, job.id, job.lease),
            )
        else:
            changed = tx.count(
                "DELETE FROM held WHERE id = ? AND lease = ? AND state = 2", (job.id, job.lease)
            )
        if changed:
            self.free_key(tx, job.id >> QUEUE_SHIFT, job.id, job.key)
        return changed > 0

    def fail(
        self,
        tx: Tx,
        now: int,
        job: Any,
        error: str,
        delay: int | None,
        bury: bool,
        jitter: float,
    ) -> str:
        """Give a leased job back; return its new state, or ``lost``."""
        rows = tx.run(
            "SELECT attempts, max_attempts, backoff, key FROM held"
            " WHERE id = ? AND lease = ? AND state = 2" + tx.lock,
            (job.id, job.lease),
        )
        if not rows:
            return "lost"
        attempts, most, backoff, key = rows[0]
        if bury or attempts >= most:
            self.finish(tx, job.id >> QUEUE_SHIFT, job.id, key, DEAD, now, error)
            return "dead"
        wait = backoff_ms(backoff, attempts, jitter) if delay is None else delay
        tx.count("UPDATE held SET error = ? WHERE id = ?", (error, job.id))
        if wait == 0:
            self.to_ready(tx, job.id)
            return "ready"
        tx.count("UPDATE held SET state = 0, due = ? WHERE id = ?", (now + wait, job.id))
        return "delayed"

    def extend(self, tx: Tx, now: int, job: Any, lease: int) -> bool:
        """Move the lease's deadline; tell whether it was still the job's own."""
        return bool(
            tx.count(
                "UPDATE held SET due = ? WHERE id = ? AND lease = ? AND state = 2",
                (now + lease, job.id, job.lease),
            )
        )
