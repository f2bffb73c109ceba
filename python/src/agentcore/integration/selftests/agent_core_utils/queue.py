"""What the task queue of ``agent_core_utils`` must answer: order, states, limits, schedules."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]

_LANE = (1 << 48) + (100 << 40)


def _in_a_file(ask: Callable[[Any, list[float]], object]) -> Callable[[Any], object]:
    def run(ns: Any) -> object:
        now = [1_000_000.0]
        with tempfile.TemporaryDirectory(prefix="agentcore-selftest-") as folder:
            file = str(Path(folder, "queue.db"))
            queue = ns.Queue(file, "relaxed", lambda: now[0], lambda: 0.5)
            try:
                return ask(queue, now)
            finally:
                queue.close()

    return run


def _order(queue: Any, now: list[float]) -> object:
    ids = queue.enqueue_many("q", ["a", b"b"])
    ids += [queue.enqueue("q", "c", priority=7), queue.enqueue("q", "d", delay=2.0)]
    same = [queue.enqueue("q", "e", key="k") for _ in range(2)]
    first = [job.payload for job in queue.claim("q", 3)]
    now[0] += 2.0
    rest = [job.payload for job in queue.claim("q", 9)]
    return [one - _LANE for one in ids], same[0] == same[1], first, rest


def _lives(queue: Any, now: list[float]) -> object:
    queue.enqueue("q", "x", max_attempts=2, backoff=4.0, keep=9.0)
    job = queue.claim("q", lease=5.0)[0]
    states = [queue.fail(job, "no"), queue.ack(job), queue.admin.jobs()[0][8]]
    now[0] += 3.0
    job = queue.claim("q", lease=5.0)[0]
    now[0] += 5.0
    return states, job.attempt, queue.extend(job), queue.claim("q"), queue.admin.jobs()[0][1:]


def _limits(queue: Any, now: list[float]) -> object:
    queue.admin.limit("q", rate=2.0, burst=3)
    queue.enqueue_many("q", [b""] * 9)
    taken = [len(queue.claim("q", 9))]
    now[0] += 0.5
    taken.append(len(queue.claim("q", 9)))
    queue.admin.pause("q")
    return taken, queue.claim("q"), queue.admin.counts(), queue.admin.queues()


def _schedule(queue: Any, now: list[float]) -> object:
    queue.admin.schedule("tick", "*/10 0-5,23 * feb-dec mon", "q", "t")
    due = queue.admin.schedules()[0][3]
    now[0] = due
    return due, [job.payload for job in queue.claim("q", 5)], queue.admin.schedules()[0][3]


VECTORS: tuple[Vector, ...] = (
    Vector(
        "queue order",
        _in_a_file(_order),
        ([1, 2, 1 - (7 << 40), 3], True, [b"c", b"a", b"b"], [b"d", b"e"]),
    ),
    Vector(
        "queue states",
        _in_a_file(_lives),
        (
            ["delayed", False, 1_000_003.0],
            2,
            True,
            [],
            ("q", "running", 0, 2, 2, 2, 1_000_000.0, 1_000_068.0, None, "no", b"x", None),
        ),
    ),
    Vector(
        "queue limits",
        _in_a_file(_limits),
        (
            [3, 1],
            [],
            {"q": {"delayed": 0, "ready": 5, "running": 4, "done": 0, "dead": 0, "cancelled": 0}},
            [("q", True, None, 2.0, 3)],
        ),
    ),
    Vector(
        "queue schedules",
        _in_a_file(_schedule),
        (2_764_800.0, [b"t"], 2_765_400.0),
    ),
)
