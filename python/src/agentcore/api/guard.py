"""The boot guard, step 3 of the degradation ladder: after repeated sudden deaths, boot in Python.

A native abort or segmentation fault takes the process along, so nobody inside can count it. Each
boot therefore leaves a record and holds a lock on it; the kernel drops the lock however the
process ends. The next boot reads the records: a free lock means that the boot has ended, a
record that is not ``ended`` that it ended suddenly, and one not ``healthy`` that it happened
within ``HEALTHY_SECONDS`` of its start. Slots may share the folder: a held lock is a living
neighbor, not a death.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from agentcore.errors import ConfigurationError

__all__ = ["DEATHS", "HEALTHY_SECONDS", "Boot", "BootGuard"]

DEATHS = 3
"""Sudden deaths of one release after which native code is left off."""
HEALTHY_SECONDS = 60.0
"""A boot that lived this long is healthy, and clears what was counted before it."""


@dataclass
class _Record:
    release: str
    native: bool
    started: float
    healthy: bool = False
    ended: bool = False


class Boot:
    """This process's record; holds its lock until the process ends."""

    def __init__(self, file: IO[str], record: _Record, folder: Path, deaths: int) -> None:
        self._file = file
        self._record = record
        self._folder = folder
        self.deaths = deaths
        """Sudden deaths of this release, with native code on, before this boot."""
        self.active = deaths >= DEATHS
        """Whether native code must stay off."""

    def native(self, on: bool) -> None:
        """Note whether native code is really in use: only then does a death count."""
        self._record.native = on
        self._write()

    def healthy(self) -> None:
        """Note that the process lived long enough, and forget earlier deaths."""
        self._record.healthy = True
        self._write()
        with _one_at_a_time(self._folder):
            for path in _ended(self._folder):
                path.unlink(missing_ok=True)

    def end(self) -> None:
        """Note that the process ends by its own will."""
        self._record.ended = True
        self._write()
        self._file.close()

    def _write(self) -> None:
        _write(self._file, self._record)


class BootGuard:
    """Counts sudden deaths in a folder of records.

    Args:
        folder: where the records are; made if need be.
        release: the release id; deaths of another release do not count, and are forgotten.
    """

    def __init__(self, folder: Path, release: str) -> None:
        self._folder = folder
        self._release = release

    def begin(self, native: bool) -> Boot:
        """Record this boot and count the deaths before it.

        Args:
            native: whether native code may be used by this boot.

        Raises:
            ConfigurationError: the folder can't be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(self._folder):
                deaths = self._count()
                path = self._folder / f"{time.time_ns()}-{uuid.uuid4().hex[:8]}.json"
                file = path.open("x+", encoding="utf-8")
                fcntl.flock(file, fcntl.LOCK_EX)
                record = _Record(self._release, native and deaths < DEATHS, time.time())
                _write(file, record)
        except OSError as error:
            raise ConfigurationError(
                f"cannot record boots: {error.strerror}", f"{self._folder}", "a writable folder"
            ) from None
        return Boot(file, record, self._folder, deaths)

    def _count(self) -> int:
        deaths = 0
        for path in _ended(self._folder):
            record = _read(path)
            if record and record.release == self._release and _sudden(record):
                deaths += record.native
            else:
                path.unlink(missing_ok=True)
        return deaths


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep neighbors out while records are counted: they would see our locks, we half a record."""
    with (folder / "lock").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sudden(record: _Record) -> bool:
    return not record.ended and not record.healthy


def _ended(folder: Path) -> list[Path]:
    """Return the records whose process is gone, oldest first."""
    gone = []
    for path in sorted(folder.glob("*.json")):
        try:
            with path.open("r+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                gone.append(path)
        except OSError:
            continue  # locked: alive; or taken away by a neighbor just now
    return gone


def _read(path: Path) -> _Record | None:
    try:
        return _Record(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # cut short by the death itself, or of another version


def _write(file: IO[str], record: _Record) -> None:
    # In place, not by rename: the lock is on this very file.
    file.seek(0)
    file.write(json.dumps(asdict(record)))
    file.truncate()
    file.flush()
    os.fsync(file.fileno())
