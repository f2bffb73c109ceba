"""What an operator asks of the queue: look, cancel, bury, retry, purge, limit, schedule."""

from __future__ import annotations

from typing import Any

from agentcore.queue.contract import MAX_PRIORITY, STATES
from agentcore.queue.cron import Cron
from agentcore.queue.engine import (
    CANCELLED,
    COLUMNS,
    DEAD,
    LANE_SHIFT,
    QUEUE_SHIFT,
    READY,
    RUNNING,
    Draft,
    Engine,
    Tx,
)

__all__ = ["Admin"]

# As `held` has them, so that both tables read alike.
_FROM_READY = (
    "SELECT id, 1, NULL, lease, attempts, max_attempts, created, key, error, payload, NULL"
    " FROM ready WHERE lease >= 0"
)
_FROM_HELD = (
    "SELECT id, state, due, lease, attempts, max_attempts, created, key, error, payload, result"
    " FROM held WHERE 0 = 0"
)


class Admin(Engine):
    """The engine, and the calls that are not on the way of a job."""

    def settle_all(self, tx: Tx, now: int) -> dict[int, str]:
        """Settle every queue; return the names by number."""
        names = {row[0]: row[1] for row in tx.run("SELECT no, name FROM queues ORDER BY no")}
        for queue in names:
            self.settle(tx, now, queue)
        return names

    def list_jobs(
        self, tx: Tx, now: int, queue: str | None, state: int | None, limit: int, after: int
    ) -> list[tuple[Any, ...]]:
        """Return jobs by id, those after ``after``."""
        names = self.settle_all(tx, now)
        low, high = 0, 1 << 62
        if queue is not None:
            number = self.number(tx, queue)
            if number is None:
                return []
            low, high = number << QUEUE_SHIFT, (number + 1) << QUEUE_SHIFT
        low = max(low, after + 1)
        span, params = " AND id >= ? AND id < ?", [low, high]
        rows: list[Any] = []
        end = f" ORDER BY id LIMIT {limit}"
        if state is None or state == READY:
            rows += tx.run(_FROM_READY + span + end, params)
        if state is None:
            rows += tx.run(_FROM_HELD + span + end, params)
        elif state != READY:
            rows += tx.run(f"{_FROM_HELD}{span} AND state = {state}{end}", params)
        rows.sort(key=lambda row: row[0])
        return [_info(names, row) for row in rows[:limit]]

    def get(self, tx: Tx, now: int, id_: int) -> tuple[Any, ...] | None:
        """Return one job, or None."""
        names = {row[0]: row[1] for row in tx.run("SELECT no, name FROM queues")}
        if id_ >> QUEUE_SHIFT not in names:
            return None
        self.settle(tx, now, id_ >> QUEUE_SHIFT)
        for sql in (_FROM_READY, _FROM_HELD):
            rows = tx.run(sql + " AND id = ?", (id_,))
            if rows:
                return _info(names, rows[0])
        return None

    def counts(self, tx: Tx, now: int) -> dict[str, dict[str, int]]:
        """Return how many jobs each queue has in each state, zeros included."""
        names = self.settle_all(tx, now)
        zeros: dict[str, int] = dict.fromkeys(STATES, 0)
        found = {name: dict(zeros) for _, name in sorted(names.items())}
        ready = "SELECT count(*) FROM ready WHERE lease >= 0 AND id >= ? AND id < ?"
        for number, name in names.items():
            span = (number << QUEUE_SHIFT, (number + 1) << QUEUE_SHIFT)
            found[name]["ready"] = tx.run(ready, span)[0][0]
        for number, state, count in tx.run(
            "SELECT queue, state, count(*) FROM held GROUP BY queue, state"
        ):
            found[names[number]][STATES[state]] = count
        return found

    def _from_ready(self, tx: Tx, id_: int) -> bool:
        """Move a ready job to ``held``, without changing what it counts."""
        moved = tx.count(
            f"INSERT INTO held(id, queue, state, due, {COLUMNS})"
            f" SELECT id, ?, 0, 0, {COLUMNS} FROM ready WHERE id = ? AND lease >= 0{tx.lock}",
            (id_ >> QUEUE_SHIFT, id_),
        )
        if moved:
            tx.count("DELETE FROM ready WHERE id = ?", (id_,))
        return bool(moved)

    def _end(self, tx: Tx, now: int, id_: int, state: int, error: str) -> bool:
        self.settle(tx, now, id_ >> QUEUE_SHIFT)
        self._from_ready(tx, id_)
        rows = tx.run(
            "SELECT key, keep FROM held WHERE id = ? AND state IN (0, 2)" + tx.lock, (id_,)
        )
        if not rows:
            return False
        key, keep = rows[0]
        queue = id_ >> QUEUE_SHIFT
        if state == CANCELLED and not keep:
            tx.count("DELETE FROM held WHERE id = ?", (id_,))
            self.free_key(tx, queue, id_, key)
        else:
            due = now if state == DEAD else now + keep
            self.finish(tx, queue, id_, key, state, due, error)
        return True

    def cancel(self, tx: Tx, now: int, id_: int) -> bool:
        """Take an unfinished job out; a running one loses its lease."""
        return self._end(tx, now, id_, CANCELLED, "cancelled")

    def bury(self, tx: Tx, now: int, id_: int, error: str) -> bool:
        """Make an unfinished job dead."""
        return self._end(tx, now, id_, DEAD, error)

    def retry(self, tx: Tx, now: int, id_: int) -> bool:
        """Make a dead, cancelled, kept or delayed job ready, with all its attempts."""
        self.settle(tx, now, id_ >> QUEUE_SHIFT)
        changed = tx.count(
            "UPDATE held SET attempts = 0, result = NULL WHERE id = ? AND state <> 2", (id_,)
        )
        if changed:
            self.to_ready(tx, id_)
        return bool(changed)

    def purge(self, tx: Tx, now: int, queue: str, state: int, age: int) -> int:
        """Delete the jobs of a state that were enqueued at least so many ms ago."""
        number = self.number(tx, queue)
        if number is None:
            return 0
        self.settle(tx, now, number)
        if state == READY:
            low, high = number << QUEUE_SHIFT, (number + 1) << QUEUE_SHIFT
            where = f"ready WHERE lease >= 0 AND id >= {low} AND id < {high} AND created <= ?"
        elif state == RUNNING:
            raise ValueError("state must not be running: cancel such jobs, or let them end")
        else:
            where = f"held WHERE queue = {number} AND state = {state} AND created <= ?"
        tx.count(
            f"DELETE FROM keys WHERE queue = {number} AND id IN (SELECT id FROM {where})",
            (now - age,),
        )
        return tx.count(f"DELETE FROM {where}", (now - age,))

    def limit(
        self, tx: Tx, queue: str, concurrency: int | None, interval: int | None, burst: int
    ) -> None:
        """Set a queue's limits; the rate as microseconds between two leases."""
        tx.count(
            "UPDATE queues SET concurrency = ?, interval_us = ?, burst = ?, tat_us = 0"
            " WHERE no = ?",
            (concurrency, interval, burst, self.number(tx, queue, make=True)),
        )

    def pause(self, tx: Tx, queue: str, paused: bool) -> None:
        """Stop or resume handing out."""
        number = self.number(tx, queue, make=True)
        tx.count("UPDATE queues SET paused = ? WHERE no = ?", (int(paused), number))

    def queues(self, tx: Tx) -> list[tuple[Any, ...]]:
        """Return the settings of each queue, by name."""
        rows = tx.run("SELECT name, paused, concurrency, interval_us, burst FROM queues")
        return sorted(
            (name, bool(paused), most, None if gap is None else 1_000_000 / gap, burst)
            for name, paused, most, gap, burst in rows
        )

    def schedule(self, tx: Tx, now: int, name: str, expression: str, draft: Draft) -> None:
        """Set a cron line; one of the same name is replaced."""
        due = Cron(expression).after(now)
        if due is None:
            raise ValueError(f"the schedule '{expression}' never comes true")
        self.unschedule(tx, name)
        queue = self.number(tx, draft.queue, make=True)
        assert queue is not None  # noqa: S101
        tx.count(
            "INSERT INTO crons(name, queue, expression, next, payload, priority, max_attempts,"
            " backoff, keep) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (name, queue, expression, due, draft.payloads[0], draft.priority,
             draft.max_attempts, draft.backoff, draft.keep),
        )  # fmt: skip
        self.note_cron(tx, queue)

    def unschedule(self, tx: Tx, name: str) -> bool:
        """Remove a cron line; tell whether there was one."""
        rows = tx.run("SELECT queue FROM crons WHERE name = ?", (name,))
        if rows:
            tx.count("DELETE FROM crons WHERE name = ?", (name,))
            self.note_cron(tx, rows[0][0])
        return bool(rows)

    def schedules(self, tx: Tx) -> list[tuple[Any, ...]]:
        """Return the cron lines, by name."""
        rows = tx.run(
            "SELECT crons.name, queues.name, expression, next FROM crons"
            " JOIN queues ON queues.no = crons.queue"
        )
        return sorted((name, queue, line, due / 1000) for name, queue, line, due in rows)


def _info(names: dict[int, str], row: Any) -> tuple[Any, ...]:
    id_, state, due, lease, attempts, most, created, key, error, payload, result = row
    priority = MAX_PRIORITY - (id_ >> LANE_SHIFT & 0xFF)
    return (
        id_, names[id_ >> QUEUE_SHIFT], STATES[state], priority, attempts, most, lease,
        created / 1000, None if due is None else due / 1000, key, error, payload, result,
    )  # fmt: skip
