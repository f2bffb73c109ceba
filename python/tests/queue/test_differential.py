"""Both implementations do the same calls, at the same times, and answer the same."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from agentcore.integration import RustIntegrationManager
from agentcore.queue import FastTaskQueue
from benchmarks.postgres import PostgresServer

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]

# The suite's machine may be busy: more of them with AGENTCORE_EXPLORE.
EXAMPLES = 300 if os.environ.get("AGENTCORE_EXPLORE") else 12
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # spares the disk
QUEUES = st.sampled_from(["a", "b", "ü"])
SECONDS = st.sampled_from([0, 0.0, 0.0005, 0.5, 1.0, 7.25, 60])
LEASES = st.sampled_from([0.001, 1.0, 30])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.integers(-100, 100),
        "delay": SECONDS,
        "max_attempts": st.integers(1, 3),
        "backoff": SECONDS,
        "keep": SECONDS,
    },
)
PICK = st.integers(0, 9)


class Twins(RuleBasedStateMachine):
    """A queue of each implementation, each on a file of its own, with one clock."""

    managers: Both

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="agentcore-twins-", dir=MEMORY)
        self.now = 1_700_000_000.0
        self.jobs: list[tuple[Any, Any]] = []
        self.ids: list[int] = []

    @initialize(full=st.booleans())
    def open(self, full: bool) -> None:
        self.pair = [
            FastTaskQueue(
                Path(self.folder.name, f"{number}.db"),
                durability="full" if full else "relaxed",
                clock=lambda: self.now,
                jitter=lambda: 0.25,
                manager=manager,
            )
            for number, manager in enumerate(self.managers)
        ]

    def teardown(self) -> None:
        for queue in self.pair:
            queue.close()
        self.folder.cleanup()

    def ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call both; return the answer of both, or None if both raised the same."""
        answers = []
        for queue in self.pair:
            try:
                answers.append(getattr(queue, name)(*arguments, **options))
            except ValueError as error:
                answers.append(str(error))
        assert answers[0] == answers[1], name
        return answers[0]

    def report(self, name: str, pick: int, *arguments: Any, **options: Any) -> None:
        if self.jobs:
            jobs = self.jobs[pick % len(self.jobs)]
            pairs = zip(self.pair, jobs, strict=True)
            one, other = [getattr(q, name)(job, *arguments, **options) for q, job in pairs]
            assert one == other, name

    @rule(queue=QUEUES, payload=st.binary(max_size=20), key=st.sampled_from([None, None, "k", "l"]),
          options=OPTIONS)  # fmt: skip
    def enqueue(self, queue: str, payload: bytes, key: str | None, options: Any) -> None:
        self.ids.append(self.ask("enqueue", queue, payload, key=key, **options))

    @rule(queue=QUEUES, count=st.integers(0, 80), options=OPTIONS)
    def enqueue_many(self, queue: str, count: int, options: Any) -> None:
        self.ids += self.ask("enqueue_many", queue, ["x"] * count, **options)[:3]

    @rule(queue=QUEUES, limit=st.integers(1, 9), lease=LEASES, picks=st.lists(PICK, max_size=4))
    def claim(self, queue: str, limit: int, lease: float, picks: list[int]) -> None:
        done = [self.jobs[pick % len(self.jobs)] for pick in picks if self.jobs]
        found = [
            one.claim(queue, limit, lease=lease, done=[pair[side] for pair in done])
            for side, one in enumerate(self.pair)
        ]
        names = ("id", "queue", "payload", "key", "attempt", "max_attempts", "lease", "deadline")
        shown = [[tuple(getattr(j, n) for n in names) for j in jobs] for jobs in found]
        assert shown[0] == shown[1]
        self.jobs = (self.jobs + list(zip(*found, strict=True)))[-10:]

    @rule(pick=PICK, result=st.none() | st.binary(max_size=9))
    def ack(self, pick: int, result: bytes | None) -> None:
        self.report("ack", pick, result)

    @rule(pick=PICK, error=st.text(max_size=9), delay=st.none() | SECONDS, bury=st.booleans())
    def fail(self, pick: int, error: str, delay: float | None, bury: bool) -> None:
        self.report("fail", pick, error, delay=delay, bury=bury)

    @rule(pick=PICK, lease=LEASES)
    def extend(self, pick: int, lease: float) -> None:
        self.report("extend", pick, lease)

    @rule(verb=st.sampled_from(["cancel", "bury", "retry", "get"]), pick=PICK)
    def one(self, verb: str, pick: int) -> None:
        if self.ids:
            self.ask(verb, self.ids[-1 - pick % len(self.ids)])

    @rule(queue=QUEUES, concurrency=st.none() | st.integers(1, 4),
          rate=st.none() | st.sampled_from([0.5, 3, 1000.0]), burst=st.integers(1, 3))  # fmt: skip
    def limit(self, queue: str, concurrency: int | None, rate: float | None, burst: int) -> None:
        self.ask("limit", queue, concurrency=concurrency, rate=rate, burst=burst)

    @rule(verb=st.sampled_from(["pause", "resume", "resume"]), queue=QUEUES)
    def pause(self, verb: str, queue: str) -> None:
        self.ask(verb, queue)

    @rule(queue=QUEUES, state=st.sampled_from(["ready", "delayed", "dead", "done", "running"]),
          age=SECONDS)  # fmt: skip
    def purge(self, queue: str, state: Any, age: float) -> None:
        self.ask("purge", queue, state, older_than=age)

    @rule(name=st.sampled_from(["s", "t"]), queue=QUEUES,
          line=st.sampled_from(["* * * * *", "*/7 * * * *", "0 3 * * sun", "0 0 30 2 *", "x"]))  # fmt: skip  # noqa: E501
    def schedule(self, name: str, queue: str, line: str) -> None:
        self.ask("schedule", name, line, queue, "cron")

    @rule(name=st.sampled_from(["s", "t"]))
    def unschedule(self, name: str) -> None:
        self.ask("unschedule", name)

    @rule(seconds=st.sampled_from([0.001, 0.5, 2.0, 31.0, 61.0, 3600.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(state=st.none() | st.sampled_from(["ready", "running", "dead", "delayed"]))
    def look(self, state: Any) -> None:
        for name in ("counts", "queues", "schedules"):
            self.ask(name)
        self.ask("jobs", state=state, limit=1000)


def test_the_twins_agree(both: Both) -> None:
    class Machine(Twins):
        managers = both

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)
    )


def test_the_twins_agree_on_one_database(both: Both, postgres: PostgresServer) -> None:
    """Both open at one time, as in SQLite only two processes may; each sees what the other did."""
    postgres.query("DROP SCHEMA IF EXISTS agentcore_queue CASCADE")
    with (
        FastTaskQueue(postgres.url, manager=both[0]) as one,
        FastTaskQueue(postgres.url, manager=both[1]) as other,
    ):
        for queue, peer in ((one, other), (other, one)):
            queue.enqueue("q", "a", key="k")
            queue.enqueue_many("q", ["b", "c"], priority=1)
            assert peer.enqueue("q", "d", key="k") == queue.jobs("q")[-1].id
            assert [job.payload for job in peer.claim("q", 9)] == [b"b", b"c", b"a"]
            assert one.jobs() == other.jobs()
            assert one.counts() == other.counts()
            for job in queue.jobs("q"):
                assert queue.cancel(job.id)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:secret@h/d?sslmode=require", ("postgresql://me:***@h/d?sslmode=require: "
         "TLS to PostgreSQL is not offered; expected a Unix socket, or a trusted network")),
        ("postgresql://h/d?speed=1", ("postgresql://h/d?speed=1: unknown option 'speed'; expected "
         "postgresql://USER@HOST:PORT/DATABASE or ?host=/SOCKET/FOLDER")),
        ("postgresql://h:x/d", ("postgresql://h:x/d: the address is not understood; expected "
         "postgresql://USER@HOST:PORT/DATABASE or ?host=/SOCKET/FOLDER")),
    ],
)  # fmt: skip
def test_addresses_that_are_refused(both: Both, url: str, message: str) -> None:
    for manager in both:
        with pytest.raises(Exception) as raised:
            FastTaskQueue(url, manager=manager)
        assert str(raised.value) == message
