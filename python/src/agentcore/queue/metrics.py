"""The queues in Prometheus' text format: jobs by state, age of the oldest ready job, limits."""

from __future__ import annotations

import time
from collections.abc import Callable

from agentcore.queue.contract import STATES
from agentcore.queue.facade import FastTaskQueue

__all__ = ["render"]


def render(queue: FastTaskQueue, clock: Callable[[], float] = time.time) -> str:
    """Return the metrics of all queues.

    Args:
        queue: what to look at.
        clock: seconds since 1970, for the age of the oldest ready job of each queue.

    Raises:
        QueueError: the file or the database can not be used.
    """
    counts, settings = queue.counts(), queue.queues()
    lines: list[str] = []

    def family(name: str, text: str, samples: list[tuple[str, float]]) -> None:
        lines.append(f"# HELP agentcore_queue_{name} {text}")
        lines.append(f"# TYPE agentcore_queue_{name} gauge")
        lines.extend(
            f"agentcore_queue_{name}{{{labels}}} {value:.15g}" for labels, value in samples
        )

    names = [(one, _label(one.name)) for one in settings]
    family(
        "jobs",
        "Jobs by queue and state.",
        [
            (f'{label},state="{state}"', counts.get(one.name, {}).get(state, 0))
            for one, label in names
            for state in STATES
        ],
    )
    ages = []
    for one, label in names:
        # By id: the first in line, which is the oldest of the highest priority.
        oldest = queue.jobs(one.name, "ready", limit=1)
        ages.append((label, max(0.0, clock() - oldest[0].created) if oldest else 0.0))
    family("ready_age_seconds", "Age of the job that is next in line; 0 without one.", ages)
    family("paused", "1 while the queue hands out nothing.", [(n, one.paused) for one, n in names])
    family(
        "concurrency_limit",
        "The most leases at one time, where there is a limit.",
        [(label, one.concurrency) for one, label in names if one.concurrency],
    )
    family(
        "rate_limit",
        "Leases a second, where there is a limit.",
        [(label, one.rate) for one, label in names if one.rate],
    )
    return "\n".join(lines) + "\n"


def _label(name: str) -> str:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'queue="{quoted}"'
