"""One worker process of a peer that stands on Redis: ``python -m benchmarks.queue_peers NAME …``.

Enqueues no-op jobs, works them off, and prints the jobs a second of the last 80 %.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

PAYLOAD = "x" * 100


class Meter:
    """Takes the time from the first fifth of the jobs to the last one."""

    def __init__(self, jobs: int) -> None:
        self.jobs, self.seen, self.begun, self.rate = jobs, 0, 0.0, 0.0
        self.ended = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Count a job."""
        with self._lock:
            self.seen += 1
            if self.seen == self.jobs // 5:
                self.begun = time.perf_counter()
            elif self.seen == self.jobs:
                self.rate = (self.jobs - self.jobs // 5) / (time.perf_counter() - self.begun)
                self.ended.set()


def celery(socket: str, jobs: int) -> float:
    """Celery's ``solo`` pool, the fastest of its pools for no-op jobs."""
    import celery as library

    app = library.Celery("bench", broker=f"redis+socket://{socket}")
    app.conf.task_ignore_result = True
    app.conf.worker_hijack_root_logger = False
    app.conf.worker_redirect_stdouts = False  # the rate is printed
    meter = Meter(jobs)

    @app.task
    def work(_payload: str) -> None:
        meter()

    for _ in range(jobs):
        work.delay(PAYLOAD)
    worker: Any = app.Worker(pool="solo", loglevel="ERROR", without_gossip=True,
                             without_mingle=True, without_heartbeat=True, quiet=True)  # fmt: skip
    threading.Thread(target=worker.start, daemon=True).start()
    meter.ended.wait(120)
    return meter.rate


def dramatiq(socket: str, jobs: int) -> float:
    """Dramatiq with eight threads, its default."""
    import dramatiq as library
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=f"unix://{socket}")
    library.set_broker(broker)
    meter = Meter(jobs)

    @library.actor
    def work(_payload: str) -> None:
        meter()

    for _ in range(jobs):
        work.send(PAYLOAD)
    worker = library.Worker(broker, worker_threads=8)
    worker.start()
    meter.ended.wait(120)
    return meter.rate


if __name__ == "__main__":
    rate = {"celery": celery, "dramatiq": dramatiq}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    print(rate, flush=True)
    import os

    os._exit(0)  # the workers' threads need not be asked
