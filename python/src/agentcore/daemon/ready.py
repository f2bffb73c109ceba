"""Readiness as named latches: a service is ready when every latch is open and it isn't draining."""

from __future__ import annotations

import threading


class Latch:
    """One condition of readiness; nobody but `open` makes it hold."""

    def __init__(self, ready: Ready, name: str) -> None:
        self._ready = ready
        self._name = name

    def open(self) -> None:
        """The condition holds."""
        with self._ready._lock:
            self._ready._closed.pop(self._name, None)

    def close(self, reason: str) -> None:
        """The condition doesn't hold (any more), and why."""
        with self._ready._lock:
            self._ready._closed[self._name] = reason


class Ready:
    """The readiness of one service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed: dict[str, str] = {}
        self._draining = False

    def latch(self, name: str, reason: str) -> Latch:
        """Add a closed latch; until it is opened ``/readyz`` answers 503 with ``name: reason``."""
        latch = Latch(self, name)
        latch.close(reason)
        return latch

    def drain(self) -> None:
        """Not ready any more, for good."""
        with self._lock:
            self._draining = True

    def reason(self) -> str:
        """Why the service isn't ready, in one line; empty when it is."""
        with self._lock:
            if self._draining:
                return "draining"
            return "; ".join(f"{name}: {why}" for name, why in sorted(self._closed.items()))
