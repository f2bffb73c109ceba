"""The worker: sync and async handlers, what their outcome does to a job, and draining."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from agentcore.queue import Bury, FastTaskQueue, Job, Retry, Worker

COMPONENT = "agent_core_utils"
Open = Callable[..., FastTaskQueue]


def until(check: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not check():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_handlers_of_both_kinds_and_their_outcomes(open_queue: Open) -> None:
    queue = open_queue(clock=None)
    seen: list[bytes] = []

    def plain(job: Job) -> bytes | None:
        seen.append(job.payload)
        if job.payload == b"retry" and job.attempt == 1:
            raise Retry("again", delay=0.0)
        if job.payload == b"bury":
            raise Bury("hopeless")
        if job.payload == b"fail":
            raise ValueError("no")
        return b"result" if job.payload == b"keep" else None

    async def coroutine(job: Job) -> str:
        await asyncio.sleep(0)
        return f"async {job.attempt}"

    names = ["ok", "retry", "bury", "fail", "keep"]
    ids = {n: queue.enqueue("plain", n, max_attempts=2, backoff=999, keep=999) for n in names}
    ids["async"] = queue.enqueue("async", "x", keep=999)
    worker = Worker(queue, {"plain": plain, "async": coroutine}, slots=3)
    worker.start()

    def state(name: str) -> tuple[Any, ...]:
        job = queue.get(ids[name])
        return (job.state, job.result, job.error) if job else ()

    until(lambda: all(state(n)[0] in ("done", "dead", "delayed") for n in ids))
    assert worker.drain(30) is True
    assert seen.count(b"retry") == 2
    assert state("ok") == state("retry") == ("done", None, None)
    assert state("bury") == ("dead", None, "Bury: hopeless")
    assert state("fail") == ("delayed", None, "ValueError: no")
    assert state("keep") == ("done", b"result", None)
    assert state("async") == ("done", b"async 1", None)


def test_a_lease_is_extended_while_the_handler_runs(open_queue: Open) -> None:
    queue = open_queue(clock=None)
    go, runs = threading.Event(), []

    def slow(job: Job) -> None:
        runs.append(job.lease)
        go.wait(30)

    queue.enqueue("q")
    worker = Worker(queue, {"q": slow}, slots=2, lease=3.0)
    worker.start()
    until(lambda: runs)
    first = queue.jobs("q")[0].due
    assert first is not None
    until(lambda: (queue.jobs("q")[0].due or 0) > first)
    assert worker.drain(0.05) is False
    go.set()
    assert worker.drain(30) is True
    assert runs == [1]
    assert queue.jobs("q") == []


def test_draining_takes_no_more_and_finishes_what_runs(open_queue: Open) -> None:
    queue = open_queue(clock=None)
    started, go = threading.Semaphore(0), threading.Event()

    def handler(_: Job) -> None:
        started.release()
        go.wait(30)

    queue.enqueue_many("q", ["x"] * 6)
    worker = Worker(queue, {"q": handler}, slots=2)
    worker.start()
    for _ in range(2):
        assert started.acquire(timeout=30)
    worker.stop()
    go.set()
    assert worker.drain(30) is True
    assert queue.counts()["q"] == dict.fromkeys(queue.counts()["q"], 0) | {"ready": 4}


def test_what_a_worker_needs(open_queue: Open) -> None:
    queue = open_queue()
    with pytest.raises(ValueError, match="handlers must name at least one queue"):
        Worker(queue, {})
    with pytest.raises(ValueError, match="slots must be from 1 to 1000, got 0"):
        Worker(queue, {"q": lambda job: None}, slots=0)
