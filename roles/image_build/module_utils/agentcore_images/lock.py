"""One build at a time in one cache: a file lock that says who holds it and since when."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import BuildError

POLL_SECONDS = 0.5


@contextlib.contextmanager
def hold(path: Path, wait_seconds: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock at ``path``, waiting for another build at most ``wait_seconds``.

    The kernel drops the lock when its holder dies, so a killed build never leaves a stale one.

    Raises:
        BuildError: the other build still holds it at the deadline.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_seconds
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "an unknown process"
                if time.monotonic() >= deadline:
                    raise BuildError(
                        str(path),
                        f"another build holds the lock ({holder})",
                        f"waited {wait_seconds:g} s; let it finish, or stop that process",
                    ) from None
                if not told:
                    say(f"waiting up to {wait_seconds:g} s for another build ({holder})")
                    told = True
                time.sleep(POLL_SECONDS)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n")
        file.flush()
        yield
