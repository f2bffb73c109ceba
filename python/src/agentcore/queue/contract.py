"""What a task queue promises, whichever implementation and whichever database answers.

**At least once.** A claim leases a job to its caller. A job that is neither acknowledged,
failed nor extended before the lease's deadline goes to the next who asks, so a handler may run
twice and must bear it. A job never runs more often than it was leased: ``attempt`` counts the
leases since it was enqueued (or retried by hand), ``lease`` all of them. What is reported for
a lease that is no longer the job's current one changes nothing and answers ``False``.

**Durability.** ``full``: an enqueue returns when the job is on the disk. ``relaxed``: a power
cut may take the last moments; the death of a process loses nothing either way. In a file, claims
and acknowledgements are always relaxed: what a power cut takes of them is delivered again, under
the same lease number. In PostgreSQL they are as durable as enqueues.

**Order.** Of the jobs of a queue that may run: highest priority first, then in the order they
were enqueued. A delayed, failed or expired job keeps its place. With PostgreSQL the order among
concurrent producers is that of their sequence numbers.

**States.** ``ready``; ``delayed`` until ``due``; ``running`` until its lease ends at ``due``;
``done`` and ``cancelled``, which are kept ``keep`` seconds, until ``due``, or not at all;
``dead``: out of attempts, or buried; stays until it is purged or retried.

**Failures.** ``fail`` delays the job by ``backoff * 2**(attempt-1)`` seconds, at most an hour,
less up to half of it by ``jitter()`` (from 0.0 to below 1.0), or by the ``delay`` given; the
last attempt makes it dead. An expired lease is an attempt too, without a delay.

**Key.** While a job with a key is ready, delayed or running, enqueuing the same key into the
same queue adds nothing and returns that job's id. A job retried by hand has its key no more.

**Limits.** Of a queue: ``concurrency``, the most leases at one time; ``rate``, the leases a
second, of which ``burst`` may come at once. A paused queue hands out nothing and takes jobs.

**Schedules.** Five fields, UTC; see :mod:`agentcore.queue.cron`. Whoever claims enqueues what is
due. Runs missed are made up for by one; none is added while the last one is still unfinished.

**Time.** Seconds since 1970 as floats, kept as whole milliseconds. What is due is settled when
the queue is next claimed from or looked at, at most 1000 jobs of a state a call.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, get_args

from agentcore.errors import AgentCoreError

__all__ = [
    "BACKOFF_CAP_MS",
    "STATES",
    "Durability",
    "JobInfo",
    "QueueError",
    "QueueSettings",
    "Schedule",
    "State",
]

Durability = Literal["full", "relaxed"]
State = Literal["delayed", "ready", "running", "done", "dead", "cancelled"]

STATES: tuple[State, ...] = get_args(State)
"""By their number in the database."""
BACKOFF_CAP_MS = 3_600_000
MAX_SECONDS = 315_360_000.0
"""Ten years: the longest delay, lease, backoff and keeping."""
MAX_PRIORITY = 100
MAX_ATTEMPTS = 1_000_000
MAX_NAME = 200
MAX_BATCH = 100_000
MAX_PAYLOAD = 64 << 20
SCHEMA_VERSION = 1
APPLICATION_ID = 0x41475155
"""Marks the SQLite file as a queue of ours."""
SETTLE_LIMIT = 1000


class QueueError(AgentCoreError):
    """The queue's file or database can not be used; what was asked for is not done."""

    code = "queue"


class JobInfo(NamedTuple):
    """What is known of a job. ``due`` is None for ready jobs; times are seconds since 1970."""

    id: int
    queue: str
    state: State
    priority: int
    attempts: int
    max_attempts: int
    lease: int
    created: float
    due: float | None
    key: str | None
    error: str | None
    payload: bytes
    result: bytes | None


class QueueSettings(NamedTuple):
    """Limits of a queue; None where there is none."""

    name: str
    paused: bool
    concurrency: int | None
    rate: float | None
    burst: int


class Schedule(NamedTuple):
    """A cron line; ``next`` is when it is due, in seconds since 1970."""

    name: str
    queue: str
    expression: str
    next: float


def to_ms(seconds: float) -> int:
    """Return whole milliseconds, rounded half up."""
    return math.floor(seconds * 1000.0 + 0.5)


def checked_seconds(name: str, value: Any, least: float = 0.0) -> int:
    """Return a duration as milliseconds.

    Raises:
        TypeError: it is no number.
        ValueError: it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, got {type(value).__name__}")
    if not least <= value <= MAX_SECONDS:
        raise ValueError(f"{name} must be from {least:g} to {MAX_SECONDS:.0f} seconds, got {value}")
    return to_ms(float(value))


def checked_gap(rate: Any) -> int:
    """Return the microseconds between two leases of a queue with that many a second.

    Raises:
        TypeError: it is no number.
        ValueError: it is out of range.
    """
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise TypeError(f"rate must be a number of jobs a second, got {type(rate).__name__}")
    if not 0.0001 <= rate <= 1_000_000:
        raise ValueError(f"rate must be from 0.0001 to 1000000 jobs a second, got {rate}")
    return math.floor(1_000_000.0 / float(rate) + 0.5)


def checked_int(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number within its range.

    Raises:
        TypeError: it is no int.
        ValueError: it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, got {value}")
    return value


def checked_name(name: str, value: Any) -> str:
    """Return the name of a queue or a schedule, or a key.

    Raises:
        TypeError: it is no str.
        ValueError: it is empty, too long, or holds a control character or a lone surrogate.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, got {type(value).__name__}")
    good = 1 <= len(value) <= MAX_NAME and not any(
        ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in value
    )
    if not good:
        raise ValueError(
            f"{name} must be 1 to {MAX_NAME} characters without control characters,"
            f" got {len(value)} characters"
        )
    return value


def checked_text(name: str, value: Any) -> str:
    """Return a text of an error, without what no database stores.

    Raises:
        TypeError: it is no str.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, got {type(value).__name__}")
    kept = "".join("�" if 0xD800 <= ord(c) <= 0xDFFF or c == "\0" else c for c in value)
    return kept[:4000]


def checked_bytes(name: str, value: Any) -> bytes:
    """Return a payload or a result; a ``str`` becomes its UTF-8.

    Raises:
        TypeError: it is neither bytes nor str.
        ValueError: it is too long or has lone surrogates.
    """
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} must be text that UTF-8 can hold") from None
    if not isinstance(value, bytes):
        raise TypeError(f"{name} must be bytes or str, got {type(value).__name__}")
    if len(value) > MAX_PAYLOAD:
        raise ValueError(f"{name} must be at most {MAX_PAYLOAD} bytes, got {len(value)}")
    return value


def checked_state(value: Any) -> int:
    """Return a state's number.

    Raises:
        ValueError: there is no such state.
    """
    if value not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}, got {value!r}")
    return STATES.index(value)


def backoff_ms(base_ms: int, attempt: int, jitter: float) -> int:
    """Return how long a failed attempt waits."""
    full = min(BACKOFF_CAP_MS, base_ms << min(max(attempt - 1, 0), 40))
    return full - math.floor(full * 0.5 * min(max(jitter, 0.0), 1.0))
