"""Keeps finished runs in SQLite, so that a result outlives its request and its process.

Both slots of a deployment share the file; SQLite's write-ahead log allows for that. Inputs are
not kept, only their hash: they may be secret, and they are the caller's.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path

from agentcore.errors import ConfigurationError

__all__ = ["RunStore"]

KEEP_RUNS = 10_000
_TRIM_EVERY = 200
_BUSY_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    inputs_sha256 TEXT NOT NULL,
    document BLOB NOT NULL
) STRICT;
"""


class RunStore:
    """The runs, newest kept. Safe under threads.

    Args:
        folder: the state folder; ``runs.sqlite3`` is made in it.
        keep: how many runs are kept.

    Raises:
        ConfigurationError: the folder can't be written, or the file is not ours.
    """

    def __init__(self, folder: Path, keep: int = KEEP_RUNS) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._puts = 0
        path = folder / "runs.sqlite3"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            with ExitStack() as undo:
                undo.callback(self._db.close)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._db.executescript(_SCHEMA)
                undo.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"cannot keep runs there: {error}", f"--state-dir {folder}", "a writable folder"
            ) from None

    def put(self, run: str, agent: str, inputs_sha256: str, document: bytes) -> None:
        """Keep the JSON document of a run.

        Raises:
            sqlite3.Error: the disk is full or gone.
        """
        with self._lock:
            self._db.execute(
                "INSERT INTO runs (id, agent, inputs_sha256, document) VALUES (?, ?, ?, ?)",
                (run, agent, inputs_sha256, document),
            )
            self._puts += 1
            if self._puts % _TRIM_EVERY == 0:
                self._db.execute(
                    "DELETE FROM runs WHERE number <= (SELECT max(number) FROM runs) - ?",
                    (self._keep,),
                )

    def get(self, agent: str, run: str) -> bytes | None:
        """Return the document of a run of ``agent``, or None if it is not kept."""
        with self._lock:
            row = self._db.execute(
                "SELECT document FROM runs WHERE id = ? AND agent = ?", (run, agent)
            ).fetchone()
        return row[0] if row else None

    def trouble(self) -> str:
        """Return why nothing can be written now, or an empty string."""
        try:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            return f"the run store cannot be written: {error}"
        return ""

    def close(self) -> None:
        """Write what is pending into the file and close it."""
        with self._lock:
            self._db.close()
