"""``statvfs`` with a deadline: a dead NFS server or FUSE daemon must not hold the scrape.

The call can't be interrupted, so it runs on a thread of its own. A thread that doesn't answer in
time is left to its mount, and the mount isn't asked again until that thread has come back: there
are never more threads than hung mounts, plus one.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

Capacity = tuple[int, int, int, int, int, int]
HUNG = "does not answer"


def statvfs(path: str) -> Capacity | str:
    """Ask a file system; an error becomes its text."""
    try:
        found = os.statvfs(path)
    except OSError as error:
        return error.strerror or str(error)
    return (
        found.f_frsize,
        found.f_blocks,
        found.f_bfree,
        found.f_bavail,
        found.f_files,
        found.f_ffree,
    )


class _Worker:
    def __init__(self, ask: Callable[[str], Capacity | str]) -> None:
        self.questions: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Capacity | str] = queue.SimpleQueue()
        # A daemon: a hung mount must not keep the process from ending.
        threading.Thread(target=self._run, args=(ask,), name="statvfs", daemon=True).start()

    def _run(self, ask: Callable[[str], Capacity | str]) -> None:
        while (path := self.questions.get()) is not None:
            self.answers.put(ask(path))


class Statter:
    """Asks file systems for their capacity, at most so long."""

    def __init__(self, ask: Callable[[str], Capacity | str] = statvfs) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._idle: _Worker | None = None
        self._hung: dict[str, _Worker] = {}

    def stat(self, path: str, budget: float) -> Capacity | str:
        """Return the capacity at ``path``, or why there is none."""
        with self._lock:
            pending = self._hung.get(path)
            if pending is not None:
                if pending.answers.empty():
                    return HUNG
                del self._hung[path]
            if budget <= 0:
                return HUNG
            worker, self._idle = self._idle or _Worker(self._ask), None
            worker.questions.put(path)
            try:
                answer = worker.answers.get(timeout=budget)
            except queue.Empty:
                worker.questions.put(None)  # it ends when its mount lets it go
                self._hung[path] = worker
                return HUNG
            self._idle = worker
            return answer

    def close(self) -> None:
        """Let the idle thread end."""
        with self._lock:
            if self._idle is not None:
                self._idle.questions.put(None)
                self._idle = None

    def __del__(self) -> None:
        if self._idle is not None:
            self._idle.questions.put(None)
