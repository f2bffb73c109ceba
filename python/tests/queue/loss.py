"""Kills workers and producers at random and counts what became of the jobs.

``python -m tests.queue.loss --rounds 300`` runs the whole of it; the suite runs a short one.

A producer writes the id of each job whose enqueue returned to a file of its own; a worker writes
id, lease, start and the lease's deadline of each run before it begins it, and id and lease once the
acknowledgement has returned. After each round's killings the rest is worked off. Then

* every acknowledged enqueue has run at least once, and nothing is left in the queue;
* no lease of a job has run twice, and none ran after it had been acknowledged;
* a later lease of a job began only after the earlier one's deadline, so each run is explained.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agentcore.integration import RustIntegrationManager
from agentcore.queue import FastTaskQueue, Job, QueueError
from agentcore.settings import NativeMode, Settings
from benchmarks.postgres import PostgresServer, why_not

LEASE = 0.5
SLACK = 0.002  # the deadline is kept in whole milliseconds
DEADLINE = 60.0


def manager(implementation: str) -> RustIntegrationManager:
    """Return one under which the implementation is what is asked for, or an error."""
    mode = NativeMode.OFF if implementation == "python" else NativeMode.REQUIRE
    settings = Settings(native=mode, lib_dir=Settings.from_env().lib_dir)
    return RustIntegrationManager(settings, isolate=False)


def connect(target: str, implementation: str) -> FastTaskQueue:
    """Open the queue, once its server is back."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return FastTaskQueue(target, manager=manager(implementation))
        except QueueError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def note(log: int, *values: object) -> None:
    """Write a line at once: a kill takes nothing that was written."""
    os.write(log, (" ".join(map(str, values)) + "\n").encode())


def produce(queue: FastTaskQueue, log: int) -> None:
    """Enqueue for ever, singly and in batches, with and without priority and delay."""
    chance = random.Random()
    while True:
        try:
            if chance.random() < 0.2:
                ids = queue.enqueue_many("q", [b"x" * chance.randrange(300)] * 5, max_attempts=99)
            else:
                delay, priority = chance.choice([0.0, 0.0, 0.02]), chance.randrange(3)
                ids = [queue.enqueue("q", b"y", delay=delay, priority=priority, max_attempts=1000)]
        except QueueError:
            time.sleep(0.05)
            continue
        for id_ in ids:
            note(log, "job", id_)
        time.sleep(0.001)


def work(queue: FastTaskQueue, log: int, *, drain: bool = False) -> None:
    """Run jobs, for ever or until nothing is left; acknowledge together with the next claim."""
    done: list[Job] = []
    size = random.Random().randrange(1, 9)
    end = time.monotonic() + DEADLINE
    while True:
        try:
            jobs = queue.claim("q", size, lease=LEASE, wait=0.05, done=done)
            for job in done:
                note(log, "done", job.id, job.lease)
            done = []
            for job in jobs:
                if time.time() < job.deadline:  # too late is not begun: it is another's soon
                    note(log, "run", job.id, job.lease, time.time(), job.deadline)
                    done.append(job)
            if drain and not jobs and not sum(queue.counts().get("q", {}).values()):
                return
        except QueueError:
            done = []  # unknown whether they are acknowledged: they may come again
            time.sleep(0.05)
        if drain and time.monotonic() > end:
            raise RuntimeError(f"not worked off within {DEADLINE:g} s: {queue.counts()}")


def child(role: str, target: str, implementation: str, path: str) -> None:
    """Be one of the processes that are killed."""
    log = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    queue = connect(target, implementation)
    (produce if role == "produce" else work)(queue, log)


def judge(folder: Path) -> tuple[int, int, list[str]]:
    """Read the logs; return how many jobs were acknowledged, the runs, and what is wrong."""
    jobs: set[str] = set()
    runs: dict[str, dict[int, tuple[float, float]]] = {}
    done: dict[str, int] = {}
    wrong: list[str] = []
    for file in folder.glob("*.log"):
        for line in file.read_text().splitlines():
            kind, id_, *rest = line.split()
            if kind == "job":
                jobs.add(id_)
            elif kind == "done":
                done[id_] = max(done.get(id_, 0), int(rest[0]))
            else:
                leases = runs.setdefault(id_, {})
                if int(rest[0]) in leases:
                    wrong.append(f"lease {rest[0]} of job {id_} ran twice")
                leases[int(rest[0])] = (float(rest[1]), float(rest[2]))
    wrong += [f"job {id_} was acknowledged and never ran" for id_ in jobs - runs.keys()]
    for id_, leases in runs.items():
        ended = float("-inf")
        for lease, (begun, deadline) in sorted(leases.items()):
            if begun < ended - SLACK:
                wrong.append(f"lease {lease} of job {id_} began before the last one ended")
            ended = deadline
    return len(jobs), sum(map(len, runs.values())), wrong


def one_round(
    target: str, implementations: list[str], chance: random.Random, server: PostgresServer | None
) -> tuple[int, int, list[str]]:
    """Start producers and workers, kill them at random, work off the rest, judge."""
    with tempfile.TemporaryDirectory(prefix="agentcore-loss-") as made:
        folder = Path(made)
        children: list[subprocess.Popen[bytes]] = []

        def start(role: str) -> None:
            log = folder / f"{len(children)}.log"
            arguments = [role, target, chance.choice(implementations), str(log)]
            children.append(
                subprocess.Popen([sys.executable, "-m", "tests.queue.loss", "--as", *arguments])
            )

        try:
            for role in ("produce", "produce", "work", "work"):
                start(role)
            end = time.monotonic() + DEADLINE
            while not any(file.stat().st_size for file in folder.glob("*.log")):
                if time.monotonic() > end:
                    raise RuntimeError("no process came to work")
                time.sleep(0.02)
            for _ in range(3):
                time.sleep(chance.uniform(0.02, 0.25))
                chance.choice(children[-4:]).send_signal(signal.SIGKILL)
                start(chance.choice(["produce", "work"]))
            if server is not None and chance.random() < 0.3:
                server.stop(chance.choice([signal.SIGINT, signal.SIGQUIT]))
                server.start()
                time.sleep(chance.uniform(0.1, 0.3))
        finally:
            for process in children:
                process.kill()
            for process in children:
                process.wait(30)
        log = os.open(folder / "rest.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        try:
            with connect(target, chance.choice(implementations)) as queue:
                work(queue, log, drain=True)
        finally:
            os.close(log)
        return judge(folder)


def main(arguments: list[str] | None = None) -> int:
    """Run rounds over all databases and mixtures; return 1 if one of them went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.queue.loss", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python-only", action="store_true", help="without the native twin")
    parser.add_argument("--as", nargs=4, dest="role", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.role:
        child(*given.role)
        return 0
    mixtures = [["python"]]
    if not given.python_only:
        mixtures += [["native"], ["native", "python"]]
    total_jobs = total_runs = bad = 0
    with tempfile.TemporaryDirectory(prefix="agentcore-loss-") as folder:
        server = None if why_not() else PostgresServer().__enter__()
        print(why_not() or "PostgreSQL takes part")
        try:
            for number in range(given.rounds):
                chance = random.Random(given.seed * 100_003 + number)
                implementations = mixtures[number % len(mixtures)]
                with_server = server is not None and number // len(mixtures) % 2 == 1
                target = server.url if server and with_server else f"{folder}/{number}.db"
                jobs, runs, wrong = one_round(
                    target, implementations, chance, server if with_server else None
                )
                total_jobs, total_runs, bad = total_jobs + jobs, total_runs + runs, bad + len(wrong)
                for one in wrong[:10]:
                    print(f"round {number} ({target}, {implementations}): {one}")
        finally:
            if server is not None:
                server.__exit__(None, None, None)
    print(
        f"{given.rounds} rounds: {total_jobs} jobs acknowledged, {total_runs} runs, "
        f"{bad} violations", flush=True,
    )  # fmt: skip
    return 1 if bad or not total_jobs else 0


if __name__ == "__main__":
    sys.exit(main())
