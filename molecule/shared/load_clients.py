"""The clients of a load run: threads that send on a fixed beat, keeping connections or not.

A client never repeats a request: what a user would see fail is counted as failed, also on a
connection that the server closed while it was idle.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

from load_report import Outcome, Tally

#: Clients of a target; half of them keep their connection, half open a new one for every request.
CLIENTS = 10
KINDS = ("keep_alive", "new_connection")


@dataclass(frozen=True)
class Post:
    """A request with a body, sent in place of every n-th GET."""

    path: str
    body: bytes
    key: str
    every: int


@dataclass(frozen=True)
class Plan:
    """What every client of a run does."""

    path: str
    rate: float
    timeout: float
    post: Post | None = None


class Client(threading.Thread):
    """One client of one target. Stops within one request timeout once `stop` is set."""

    def __init__(
        self, tally: Tally, number: int, plan: Plan, begin: float, stop: threading.Event
    ) -> None:
        """begin: monotonic time of the run's first beat."""
        super().__init__(name=f"{tally.target} {number}", daemon=True)
        self.kind = KINDS[number % len(KINDS)]
        self.tally = tally
        self.number = number
        self.plan = plan
        self.begin = begin
        self.stop = stop
        parts = urllib.parse.urlsplit(tally.target)
        self.address = (parts.hostname or "", parts.port or 80)
        self.connection: http.client.HTTPConnection | None = None

    def beats(self) -> Iterator[float]:
        """Monotonic times at which this client sends; the clients of a target take turns."""
        interval = CLIENTS / self.plan.rate
        beat = self.begin + self.number / self.plan.rate
        while True:
            yield beat
            beat += interval

    def run(self) -> None:
        """Sends until told to stop. A late client sends at once: pauses do not lower the count."""
        for count, beat in enumerate(self.beats(), start=1):
            if self.stop.wait(max(0.0, beat - time.monotonic())):
                break
            self.tally.add(self.request(count))
        self.close()

    def request(self, count: int) -> Outcome:
        """Sends one request and reads the whole answer."""
        post = self.plan.post
        with_body = post is not None and count % post.every == 0
        method, path, body, headers = "GET", self.plan.path, None, {}
        if with_body and post is not None:
            method, path, body = "POST", post.path, post.body
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {post.key}"}
        if self.kind == "new_connection":
            headers["Connection"] = "close"
        started = time.monotonic()
        status, error = None, ""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(
                    *self.address, timeout=self.plan.timeout
                )
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            answer.read()
            status = answer.status
            if self.kind == "new_connection" or answer.will_close:
                self.close()
        except (OSError, http.client.HTTPException) as caught:
            error = f"{type(caught).__name__}: {caught}"
            self.close()
        took = time.monotonic() - started
        return Outcome(self.kind, method, path, started - self.begin, took, status, error)

    def close(self) -> None:
        """Lets the connection go."""
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.close()
            self.connection = None


def start(tallies: list[Tally], plan: Plan, begin: float, stop: threading.Event) -> list[Client]:
    """Starts all clients of all targets."""
    clients = [
        Client(tally, number, plan, begin, stop) for tally in tallies for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    return clients
