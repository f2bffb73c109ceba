"""The queue in one SQLite file, in WAL mode, shared by processes and by both implementations.

Two connections: enqueues are committed with ``synchronous=FULL`` (unless relaxed), the rest with
``NORMAL``. One lock of ours around both spares the process from waiting for itself in SQLite.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from agentcore.queue.contract import APPLICATION_ID, SCHEMA_VERSION, QueueError
from agentcore.queue.engine import COLUMNS, QUEUE_SHIFT, SENTINEL, Tx

__all__ = ["SqliteDb"]

T = TypeVar("T")
BUSY_SECONDS = 30.0
_JOB = (
    "lease INTEGER NOT NULL, attempts INTEGER NOT NULL, max_attempts INTEGER NOT NULL,"
    " backoff INTEGER NOT NULL, keep INTEGER NOT NULL, created INTEGER NOT NULL,"
    " key TEXT, payload BLOB NOT NULL, error TEXT"
)
SCHEMA = (
    (
        "CREATE TABLE queues(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
        " paused INTEGER NOT NULL DEFAULT 0, concurrency INTEGER, interval_us INTEGER,"
        " burst INTEGER NOT NULL DEFAULT 1, tat_us INTEGER NOT NULL DEFAULT 0, cron_due INTEGER)"
    ),
    f"CREATE TABLE ready(id INTEGER PRIMARY KEY, {_JOB})",
    (
        "CREATE TABLE held(id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, state INTEGER NOT NULL,"
        f" due INTEGER NOT NULL, {_JOB}, result BLOB)"
    ),
    "CREATE INDEX held_due ON held(queue, state, due)",
    (
        "CREATE TABLE keys(queue INTEGER NOT NULL, key TEXT NOT NULL, id INTEGER NOT NULL,"
        " PRIMARY KEY(queue, key)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE crons(name TEXT PRIMARY KEY, queue INTEGER NOT NULL, expression TEXT NOT NULL,"  # noqa: E501
        " next INTEGER NOT NULL, payload BLOB NOT NULL, priority INTEGER NOT NULL,"
        " max_attempts INTEGER NOT NULL, backoff INTEGER NOT NULL, keep INTEGER NOT NULL)"
    ),
)
_TAKE = (
    f"INSERT INTO held(id, queue, state, due, {COLUMNS}) SELECT id, ?, 2, ?, lease + 1,"
    " attempts + 1, max_attempts, backoff, keep, created, key, payload, error FROM ready"
    " WHERE id >= ? AND id < ? AND lease >= 0 ORDER BY id LIMIT ?"
    " RETURNING id, lease, attempts, max_attempts, keep, key, payload"
)


class _Tx:
    skip = ""
    lock = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(sql, params).fetchall()

    def count(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self._connection.execute(sql, params).rowcount

    def sequence(self, lane: int, count: int) -> list[int]:
        """Count up in the lane's last row: it lies in the page that the jobs go into."""
        rows = self.run(
            "UPDATE ready SET created = created + ? WHERE id = ? RETURNING created",
            (count, lane | SENTINEL),
        )
        if not rows:
            self.run(
                f"INSERT INTO ready(id, {COLUMNS}) VALUES (?, -1, 0, 0, 0, 0, ?, NULL, X'', NULL)",
                (lane | SENTINEL, count),
            )
        last = rows[0][0] if rows else count
        return list(range(last - count + 1, last + 1))

    def take(self, queue: int, limit: int, deadline: int) -> list[Any]:
        low, high = queue << QUEUE_SHIFT, (queue + 1) << QUEUE_SHIFT
        rows = sorted(self.run(_TAKE, (queue, deadline, low, high, limit)))
        if rows:
            last = rows[-1][0]
            self.count("DELETE FROM ready WHERE id >= ? AND id <= ? AND lease >= 0", (low, last))
        return rows


class SqliteDb:
    """Opens the file, makes it if it is not there, and runs transactions.

    Args:
        path: the file.
        full: whether enqueues reach the disk before they return.

    Raises:
        QueueError: the file can not be opened, is none of ours, is damaged, or is newer.
    """

    def __init__(self, path: str, full: bool) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._closed = False
        if not Path(path).parent.is_dir():
            raise QueueError("its folder does not exist", path, "a file in an existing folder")
        try:
            self._normal = self._open("NORMAL")
            self._full = self._open("FULL") if full else self._normal
        except sqlite3.Error as error:
            raise self._wrapped(error) from error

    def _open(self, synchronous: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if self._version(connection) == 0:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if self._version(connection) == 0:
                for statement in SCHEMA:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")

    def _version(self, connection: sqlite3.Connection) -> int:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and application != APPLICATION_ID:
            raise QueueError("it is another program's database", self._path, "a queue's file")
        if version > SCHEMA_VERSION:
            raise QueueError(
                f"it was written by a newer release (schema {version})",
                self._path,
                f"schema {SCHEMA_VERSION}, or a newer agentcore",
            )
        return version if tables else 0

    def transaction(self, work: Callable[[Tx], T], *, durable: bool = False) -> T:
        """Run ``work`` in a transaction and commit it.

        Raises:
            QueueError: the database refused; nothing of ``work`` is done.
        """
        with self._lock:
            if self._closed:
                raise QueueError("the queue is closed", self._path, "an open queue")
            connection = self._full if durable else self._normal
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    answer = work(_Tx(connection))
                    connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._wrapped(error) from error
            return answer

    def changed(self) -> object:
        """Return something that differs after another connection has committed."""
        with self._lock:
            if self._closed:
                raise QueueError("the queue is closed", self._path, "an open queue")
            return self._normal.execute("PRAGMA data_version").fetchone()[0]

    def wait(self, seconds: float) -> None:
        """Nothing to wait on: others are noticed by :meth:`changed`."""

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        with self._lock:
            self._closed = True
            self._full.close()
            self._normal.close()

    def _wrapped(self, error: sqlite3.Error) -> QueueError:
        text = str(error)
        expected = ""
        if "not a database" in text or "malformed" in text:
            expected = "a sound file: restore it from a backup, or move it away to start anew"
        elif "locked" in text:
            expected = f"a transaction of others that ends within {BUSY_SECONDS:.0f} s"
        elif "full" in text:
            expected = "room on the disk"
        return QueueError(f"SQLite: {text}", os.fspath(self._path), expected)
