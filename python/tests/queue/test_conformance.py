"""What the contract says of a job's life, over both implementations and both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agentcore.queue import FastTaskQueue, JobInfo, QueueError, QueueSettings
from tests.queue.conftest import Clock

COMPONENT = "agent_core_utils"


def payloads(jobs: list[Any]) -> list[bytes]:
    return [job.payload for job in jobs]


def info(queue: FastTaskQueue, id_: int) -> JobInfo:
    found = queue.get(id_)
    assert found is not None
    return found


def test_order_is_priority_then_first_come(queue: FastTaskQueue, clock: Clock) -> None:
    queue.enqueue("q", "second")
    queue.enqueue("q", "first", priority=100)
    queue.enqueue("q", "last", priority=-100)
    queue.enqueue("q", "later", delay=5.0)
    queue.enqueue("other", "elsewhere", priority=100)
    queue.enqueue("q", "third")
    assert payloads(queue.claim("q", 2)) == [b"first", b"second"]
    clock.pass_(5.0)
    assert payloads(queue.claim("q", 9)) == [b"later", b"third", b"last"]
    assert queue.claim("q") == []
    assert queue.claim("unknown") == []


def test_a_job_says_what_it_is(queue: FastTaskQueue, clock: Clock) -> None:
    id_ = queue.enqueue("q", "päyload", key="k", max_attempts=3, keep=60)
    job = queue.claim("q", lease=30.0)[0]
    assert (job.id, job.queue, job.payload, job.key) == (id_, "q", "päyload".encode(), "k")
    assert (job.attempt, job.max_attempts, job.lease) == (1, 3, 1)
    assert job.deadline == clock.now + 30.0
    assert repr(job) == f"<Job {id_} of 'q', attempt 1/3>"
    assert info(queue, id_) == JobInfo(
        id_, "q", "running", 0, 1, 3, 1, clock.now, clock.now + 30, "k", None, job.payload, None
    )


def test_an_acknowledged_job_is_gone_or_kept_with_its_result(
    queue: FastTaskQueue, clock: Clock
) -> None:
    gone, kept = queue.enqueue("q", "a"), queue.enqueue("q", "b", keep=10.0)
    first, second = queue.claim("q", 2)
    assert queue.ack(first) is True
    assert queue.ack(first) is False
    assert queue.ack(second, "result") is True
    assert queue.get(gone) is None
    assert (info(queue, kept).state, info(queue, kept).result) == ("done", b"result")
    assert info(queue, kept).due == clock.now + 10
    clock.pass_(10.0)
    assert queue.get(kept) is None


def test_done_jobs_are_acknowledged_by_the_next_claim(queue: FastTaskQueue) -> None:
    queue.enqueue_many("q", [str(n) for n in range(5)])
    done: list[Any] = []
    seen = []
    while done := queue.claim("q", 2, done=done):
        seen += payloads(done)
    assert seen == [b"0", b"1", b"2", b"3", b"4"]
    assert sum(queue.counts()["q"].values()) == 0


def test_consume_acknowledges_what_was_left_behind(queue: FastTaskQueue) -> None:
    queue.enqueue_many("q", ["a", "b", "c", "d"])
    taken = []
    for job in queue.consume("q", batch=3):
        taken.append(job.payload)
        if job.payload == b"b":
            break
    assert taken == [b"a", b"b"]
    assert payloads(queue.jobs("q", "ready")) == [b"c", b"d"]
    assert payloads(queue.jobs("q", "running")) == [b"b"]
    assert len(list(queue.consume("q"))) == 2
    assert queue.counts()["q"]["running"] == 1


def test_an_expired_lease_delivers_again_and_refuses_the_late(
    queue: FastTaskQueue, clock: Clock
) -> None:
    id_ = queue.enqueue("q", "x", max_attempts=2)
    late = queue.claim("q", lease=10.0)[0]
    clock.pass_(9.999)
    assert queue.claim("q") == []
    assert queue.extend(late, 5.0) is True
    clock.pass_(4.0)
    assert queue.claim("q") == []
    clock.pass_(1.0)
    job = queue.claim("q", lease=10.0)[0]
    assert (job.id, job.attempt, job.lease) == (id_, 2, 2)
    assert queue.ack(late) is False
    assert queue.extend(late) is False
    assert queue.fail(late) == "lost"
    assert queue.ack_many([late]) == 0
    clock.pass_(10.0)
    assert queue.claim("q") == []
    assert (info(queue, id_).state, info(queue, id_).error) == ("dead", "lease expired")
    assert info(queue, id_).due == clock.now


def test_a_late_report_counts_while_nobody_else_has_the_job(
    queue: FastTaskQueue, clock: Clock
) -> None:
    queue.enqueue("q", "x")
    job = queue.claim("q", lease=1.0)[0]
    clock.pass_(5.0)
    assert queue.ack(job) is True


def test_failures_wait_longer_each_time_and_end_dead(queue: FastTaskQueue, clock: Clock) -> None:
    id_ = queue.enqueue("q", "x", max_attempts=4, backoff=2.0)
    for wait in (2.0, 4.0, 8.0):
        job = queue.claim("q")[0]
        assert queue.fail(job, f"after {wait}") == "delayed"
        assert info(queue, id_).due == clock.now + wait
        assert info(queue, id_).error == f"after {wait}"
        clock.pass_(wait - 0.001)
        assert queue.claim("q") == []
        clock.pass_(0.001)
    assert queue.fail(queue.claim("q")[0], "the last") == "dead"
    assert (info(queue, id_).state, info(queue, id_).attempts) == ("dead", 4)
    assert queue.retry(id_) is True
    assert (info(queue, id_).state, info(queue, id_).attempts) == ("ready", 0)
    job = queue.claim("q")[0]
    assert (job.attempt, job.lease) == (1, 5)


def test_a_failure_may_say_when_or_that_it_is_final(queue: FastTaskQueue, clock: Clock) -> None:
    id_ = queue.enqueue("q", "x", backoff=1000.0)
    assert queue.fail(queue.claim("q")[0], delay=0.0) == "ready"
    assert queue.fail(queue.claim("q")[0], delay=3.0) == "delayed"
    assert info(queue, id_).due == clock.now + 3
    assert queue.retry(id_) is True
    assert queue.fail(queue.claim("q")[0], "never", bury=True) == "dead"


def test_jitter_takes_up_to_half_and_the_cap_holds(
    open_queue: Callable[..., FastTaskQueue], clock: Clock
) -> None:
    queue = open_queue(jitter=lambda: 0.5)
    id_ = queue.enqueue("q", "x", backoff=8.0)
    queue.fail(queue.claim("q")[0])
    assert info(queue, id_).due == clock.now + 6.0
    queue.retry(id_)
    queue.claim("q")
    id_ = queue.enqueue("q", "y", backoff=100_000.0)
    queue.fail(queue.claim("q")[0])
    assert info(queue, id_).due == clock.now + 2700.0


def test_a_key_admits_one_unfinished_job(queue: FastTaskQueue, clock: Clock) -> None:
    first = queue.enqueue("q", "a", key="k", delay=1.0)
    assert queue.enqueue("q", "b", key="k") == first
    other = queue.enqueue("r", "c", key="k")
    assert other != first
    clock.pass_(1.0)
    job = queue.claim("q")[0]
    assert queue.enqueue("q", "d", key="k") == first
    queue.ack(job)
    second = queue.enqueue("q", "e", key="k")
    assert second != first
    assert queue.cancel(second) is True
    third = queue.enqueue("q", "f", key="k")
    assert queue.bury(third) is True
    fourth = queue.enqueue("q", "g", key="k", keep=5)
    queue.ack(queue.claim("q")[0])
    assert info(queue, fourth).key == "k"
    fifth = queue.enqueue("q", "h", key="k")
    assert fifth != fourth
    assert queue.purge("q", "ready") == 1
    assert queue.enqueue("q", "i", key="k") != fifth


def test_cancel_and_bury_in_every_state(queue: FastTaskQueue, clock: Clock) -> None:
    ready = queue.enqueue("q", "a")
    delayed = queue.enqueue("q", "b", delay=9.0)
    running = queue.enqueue("q", "c", priority=1, keep=9.0)
    job = queue.claim("q")[0]
    assert queue.cancel(running) is True
    assert queue.extend(job) is False
    assert queue.ack(job) is False
    assert info(queue, running).state == "cancelled"
    assert queue.cancel(running) is False
    assert queue.bury(delayed, "no use") is True
    assert (info(queue, delayed).state, info(queue, delayed).error) == ("dead", "no use")
    assert queue.bury(delayed) is False
    assert queue.cancel(ready) is True
    assert queue.get(ready) is None
    assert queue.cancel(ready) is False
    assert queue.cancel(123) is False
    assert queue.retry(ready) is False
    assert queue.retry(running) is True
    clock.pass_(10.0)
    assert payloads(queue.claim("q", 9)) == [b"c"]


def test_listing_counting_and_purging(queue: FastTaskQueue, clock: Clock) -> None:
    ids = queue.enqueue_many("q", ["a", "b", "c"])
    queue.enqueue("r", "d", delay=60.0)
    clock.pass_(5.0)
    later = queue.enqueue("q", "e")
    job = queue.claim("q")[0]
    assert [one.id for one in queue.jobs("q")] == [*ids, later]
    assert [one.id for one in queue.jobs("q", limit=2, after=ids[0])] == ids[1:]
    assert [one.state for one in queue.jobs()] == ["running", "ready", "ready", "ready", "delayed"]
    assert queue.jobs("q", "dead") == []
    assert queue.jobs("nowhere") == []
    empty = dict.fromkeys(["delayed", "ready", "running", "done", "dead", "cancelled"], 0)
    assert queue.counts() == {
        "q": empty | {"ready": 3, "running": 1},
        "r": empty | {"delayed": 1},
    }
    assert queue.purge("q", "ready", older_than=5.0) == 2
    assert queue.purge("q", "ready") == 1
    assert queue.purge("r", "delayed") == 1
    assert queue.purge("nowhere", "dead") == 0
    queue.fail(job, bury=True)
    assert queue.purge("q", "dead") == 1
    with pytest.raises(ValueError, match="state must not be running"):
        queue.purge("q", "running")


def test_concurrency_limit(queue: FastTaskQueue, clock: Clock) -> None:
    queue.enqueue_many("q", ["x"] * 9)
    queue.limit("q", concurrency=3)
    jobs = queue.claim("q", 9, lease=10.0)
    assert len(jobs) == 3
    assert queue.claim("q", 9) == []
    queue.ack(jobs[0])
    assert len(queue.claim("q", 9, lease=10.0)) == 1
    assert len(queue.claim("q", 9, lease=20.0, done=jobs[1:])) == 2
    clock.pass_(10.0)
    assert len(queue.claim("q", 9)) == 1
    queue.limit("q")
    assert len(queue.claim("q", 9)) == 3
    assert queue.queues() == [QueueSettings("q", False, None, None, 1)]


def test_rate_limit(queue: FastTaskQueue, clock: Clock) -> None:
    queue.enqueue_many("q", ["x"] * 20)
    queue.limit("q", rate=4.0, burst=2)
    assert queue.queues() == [QueueSettings("q", False, None, 4.0, 2)]
    assert len(queue.claim("q", 9)) == 2
    assert queue.claim("q", 9) == []
    clock.pass_(0.25)
    assert len(queue.claim("q", 9)) == 1
    clock.pass_(60.0)
    assert len(queue.claim("q", 1)) == 1
    assert len(queue.claim("q", 9)) == 1


def test_a_paused_queue_takes_jobs_and_gives_none(queue: FastTaskQueue) -> None:
    queue.enqueue("q", "a")
    job = queue.claim("q")[0]
    queue.pause("q")
    queue.enqueue("q", "b")
    assert queue.claim("q") == []
    assert queue.ack(job) is True
    queue.resume("q")
    assert payloads(queue.claim("q")) == [b"b"]


def test_schedules_enqueue_once_for_all_that_was_missed(queue: FastTaskQueue, clock: Clock) -> None:
    clock.now = 1_700_000_000.0  # 14 November 2023, 22:13:20 UTC
    queue.schedule("nightly", "0 3 * * *", "q", "run", priority=2, max_attempts=7)
    due = queue.schedules()[0].next
    assert due == 1_700_017_200.0
    assert queue.schedules() == [("nightly", "q", "0 3 * * *", due)]
    assert queue.claim("q") == []
    clock.now = due + 3 * 86_400.0
    jobs = queue.claim("q", 9)
    assert payloads(jobs) == [b"run"]
    assert (jobs[0].max_attempts, jobs[0].key) == (7, "cron:nightly")
    assert info(queue, jobs[0].id).priority == 2
    assert queue.schedules()[0].next == due + 4 * 86_400.0
    clock.pass_(86_400.0 * 2)
    assert len(queue.claim("q", 9)) == 1  # the one that ran for too long, and no other
    queue.schedule("nightly", "@yearly", "r", "other")
    assert [one.queue for one in queue.schedules()] == ["r"]
    assert queue.unschedule("nightly") is True
    assert queue.unschedule("nightly") is False
    with pytest.raises(ValueError, match="never comes true"):
        queue.schedule("never", "0 0 31 2 *", "q")


def test_several_open_one_queue(open_queue: Callable[..., FastTaskQueue]) -> None:
    one, other = open_queue(), open_queue(durability="relaxed")
    ids = [one.enqueue("q", "a"), other.enqueue("q", "b"), one.enqueue("q", "c")]
    assert len(set(ids)) == 3
    assert payloads(other.claim("q", 2)) == [b"a", b"b"]
    assert payloads(one.claim("q", 2)) == [b"c"]


def test_threads_lose_and_double_nothing(open_queue: Callable[..., FastTaskQueue]) -> None:
    queue = open_queue(durability="relaxed")
    count, producers, consumers = 60, 4, 3
    ids: list[list[int]] = [[] for _ in range(producers)]
    taken: list[int] = []
    ended = threading.Event()

    def produce(own: list[int]) -> None:
        for number in range(count):
            own.append(queue.enqueue("q", str(number)))  # noqa: PERF401

    def consume() -> None:
        done: list[Any] = []
        while True:
            last = ended.is_set()
            done = queue.claim("q", 7, done=done)
            taken.extend(job.id for job in done)
            if last and not done:
                return

    with ThreadPoolExecutor() as pool:
        eaters = [pool.submit(consume) for _ in range(consumers)]
        for made in [pool.submit(produce, own) for own in ids]:
            made.result(100)
        ended.set()
        for eaten in eaters:
            eaten.result(100)
    assert all(own == sorted(own) for own in ids)
    assert sorted(taken) == sorted(id_ for own in ids for id_ in own)
    assert len(taken) == count * producers


def test_a_waiting_claim_is_woken(open_queue: Callable[..., FastTaskQueue]) -> None:
    queue, other = open_queue(clock=None), open_queue(clock=None)
    with ThreadPoolExecutor(1) as pool:
        for opened in (queue, other):
            waiting = pool.submit(queue.claim, "q", wait=60.0)
            time.sleep(0.1)
            opened.enqueue("q", "x")
            assert len(waiting.result(50)) == 1
    assert queue.claim("q", wait=0.05) == []


def test_a_closed_queue_says_so(open_queue: Callable[..., FastTaskQueue]) -> None:
    queue = open_queue()
    queue.close()
    queue.close()
    for call in (lambda: queue.enqueue("q"), lambda: queue.claim("q"), queue.counts):
        with pytest.raises(QueueError, match="the queue is closed; expected an open queue"):
            call()


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda q: q.enqueue(1), TypeError, "queue must be str, got int"),
        (lambda q: q.enqueue(""), ValueError, ("queue must be 1 to 200 characters without control "
         "characters, got 0 characters")),
        (lambda q: q.enqueue("a\nb"), ValueError, ("queue must be 1 to 200 characters without "
         "control characters, got 3 characters")),
        (lambda q: q.enqueue("\ud800"), ValueError, ("queue must be 1 to 200 characters without "
         "control characters, got 1 characters")),
        (lambda q: q.enqueue("ä" * 201), ValueError, ("queue must be 1 to 200 characters without "
         "control characters, got 201 characters")),
        (lambda q: q.enqueue("q", 1), TypeError, "payload must be bytes or str, got int"),
        (lambda q: q.enqueue("q", "\ud800"), ValueError, "payload must be text that UTF-8 can hold"),  # noqa: E501
        (lambda q: q.enqueue_many("q", ["a", None]), TypeError,
         "payloads[1] must be bytes or str, got NoneType"),
        (lambda q: q.enqueue("q", priority=101), ValueError,
         "priority must be from -100 to 100, got 101"),
        (lambda q: q.enqueue("q", priority=True), TypeError, "priority must be an int, got bool"),
        (lambda q: q.enqueue("q", priority=10**30), ValueError,
         f"priority must be from -100 to 100, got {10**30}"),
        (lambda q: q.enqueue("q", delay=-0.5), ValueError,
         "delay must be from 0 to 315360000 seconds, got -0.5"),
        (lambda q: q.enqueue("q", delay=float("nan")), ValueError,
         "delay must be from 0 to 315360000 seconds, got nan"),
        (lambda q: q.enqueue("q", delay="1"), TypeError,
         "delay must be a number of seconds, got str"),
        (lambda q: q.enqueue("q", max_attempts=0), ValueError,
         "max_attempts must be from 1 to 1000000, got 0"),
        (lambda q: q.enqueue("q", backoff=b""), TypeError,
         "backoff must be a number of seconds, got bytes"),
        (lambda q: q.enqueue("q", key=""), ValueError, ("key must be 1 to 200 characters without "
         "control characters, got 0 characters")),
        (lambda q: q.claim("q", 0), ValueError, "limit must be from 1 to 100000, got 0"),
        (lambda q: q.claim("q", lease=0), ValueError,
         "lease must be from 0.001 to 315360000 seconds, got 0"),
        (lambda q: q.claim("q", done=[1]), TypeError, "job must be a Job, got int"),
        (lambda q: q.ack("x"), TypeError, "job must be a Job, got str"),
        (lambda q: q.cancel(-1), ValueError, f"id must be from 0 to {2**63 - 2}, got -1"),
        (lambda q: q.jobs(state="gone"), ValueError, ("state must be one of delayed, ready, "
         "running, done, dead, cancelled, got 'gone'")),
        (lambda q: q.limit("q", rate=0), ValueError,
         "rate must be from 0.0001 to 1000000 jobs a second, got 0"),
        (lambda q: q.limit("q", concurrency=0), ValueError,
         "concurrency must be from 1 to 1000000, got 0"),
        (lambda q: q.schedule("n", "* * *", "q"), ValueError,
         "a schedule has 5 fields (minute hour day month weekday), got 3"),
    ],
)  # fmt: skip
def test_what_is_not_acceptable(
    queue: FastTaskQueue, call: Callable[[Any], object], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as raised:
        call(queue)
    assert type(raised.value) is kind
    assert str(raised.value) == message
    assert queue.counts() == {}


def test_names_payloads_and_errors_come_back_as_they_were(queue: FastTaskQueue) -> None:
    name, payload = "qü?$1😀'\"", bytes(range(256)) * 50
    id_ = queue.enqueue(name, payload, key="ké'y")
    job = queue.claim(name)[0]
    assert (job.queue, job.payload, job.key) == (name, payload, "ké'y")
    queue.fail(job, "bad \ud800 \0 ü" + "x" * 5000, delay=0.0)
    found = info(queue, id_)
    assert found.error == ("bad � � ü" + "x" * 5000)[:4000]
    assert found.queue == name
    queue.ack(queue.claim(name)[0])
    assert queue.enqueue_many("q", []) == []


def test_none_is_the_default_of_every_option(queue: Any) -> None:
    queue.enqueue("q", None, priority=None, delay=None, key=None, max_attempts=None, backoff=None)
    queue.enqueue("q", keep=None)
    job, other = queue.claim("q", 2, lease=None, wait=None, done=None)
    assert (job.payload, job.max_attempts) == (b"", 5)
    assert queue.extend(job, None) is True
    assert queue.fail(job, None, delay=None) == "delayed"
    assert queue.ack(other, None) is True
    assert len(queue.jobs(None, None, limit=100, after=0)) == 1
