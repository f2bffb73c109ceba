"""Task queues in a file or in PostgreSQL: :class:`FastTaskQueue`, native where it can be."""

from __future__ import annotations

from agentcore.queue.contract import JobInfo, QueueError, QueueSettings, Schedule
from agentcore.queue.facade import FastTaskQueue, Job
from agentcore.queue.worker import Bury, Retry, Worker

__all__ = [
    "Bury",
    "FastTaskQueue",
    "Job",
    "JobInfo",
    "QueueError",
    "QueueSettings",
    "Retry",
    "Schedule",
    "Worker",
]
