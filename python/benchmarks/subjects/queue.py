"""FastTaskQueue beside huey and plain sqlite3 in a file, and celery and dramatiq on Redis."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from agentcore.queue import FastTaskQueue
from benchmarks.harness import Bar, Case, Contender, Subject, installed
from benchmarks.native import OURS_VERSION, native_manager, twin_manager
from benchmarks.postgres import PostgresServer, why_not

PAYLOAD = b"x" * 100
HUEY, CELERY, DRAMATIQ = (installed(name) for name in ("huey", "celery", "dramatiq"))
REDIS = shutil.which("redis-server") or ""
_numbers = count()


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="agentcore-bench-queue-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _file() -> str:
    return str(_folder() / f"{next(_numbers)}.db")


@contextmanager
def _queue(target: str = "", *, twin: bool = False, full: bool = False) -> Any:
    manager = twin_manager() if twin else native_manager()
    target = target or _file()
    with FastTaskQueue(target, durability="full" if full else "relaxed", manager=manager) as queue:
        yield queue
    if "://" not in target:
        for end in ("", "-wal", "-shm"):
            Path(target + end).unlink(missing_ok=True)


def _rate(work: Callable[[], object], jobs: int) -> float:
    begun = time.perf_counter()
    work()
    return jobs / (time.perf_counter() - begun)


def _by_threads(work: Callable[[], object], threads: int) -> None:
    """Run ``work`` in several threads at one time."""
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def _ours_enqueue(jobs: int, threads: int, *, full: bool, twin: bool = False) -> float:
    with _queue(full=full, twin=twin) as queue:
        queue.enqueue("q", PAYLOAD)

        def work() -> None:
            for _ in range(jobs // threads):
                queue.enqueue("q", PAYLOAD)

        return _rate(lambda: _by_threads(work, threads) if threads > 1 else work(), jobs)


def _huey(full: bool) -> tuple[Any, Any]:
    from huey import SqliteHuey

    huey = SqliteHuey("bench", filename=_file(), fsync=full, results=False)

    @huey.task()
    def work(_payload: bytes) -> None:
        pass

    return huey, work


def _huey_enqueue(jobs: int, threads: int, *, full: bool) -> float:
    _, task = _huey(full)
    task(PAYLOAD)

    def work() -> None:
        for _ in range(jobs // threads):
            task(PAYLOAD)

    return _rate(lambda: _by_threads(work, threads) if threads > 1 else work(), jobs)


def _plain_enqueue(jobs: int, threads: int) -> float:
    """Insert with what a careful hand writes: WAL, FULL, a connection a thread, a commit a job."""
    file = _file()

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, timeout=60, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    with connect() as first:
        first.execute("CREATE TABLE jobs(id INTEGER PRIMARY KEY, queue TEXT, payload BLOB)")
    first.close()

    def work() -> None:
        connection = connect()
        for _ in range(jobs // threads):
            connection.execute("INSERT INTO jobs(queue, payload) VALUES ('q', ?)", (PAYLOAD,))
        connection.close()

    return _rate(lambda: _by_threads(work, threads), jobs)


def _handle(_job: Any) -> None:
    pass


def _drain(queue: Any, batch: int) -> None:
    done: list[Any] = []
    while done := queue.claim("q", batch, done=done):
        for job in done:
            _handle(job)


def _ours_process(jobs: int, batch: int, *, full: bool = False, twin: bool = False) -> float:
    with _queue(full=full, twin=twin) as queue:
        queue.enqueue_many("q", [PAYLOAD] * jobs)
        return _rate(lambda: _drain(queue, batch), jobs)


def _ours_prefetch(jobs: int) -> float:
    def work() -> None:
        for job in queue.consume("q"):
            _handle(job)

    with _queue() as queue:
        queue.enqueue_many("q", [PAYLOAD] * jobs)
        return _rate(work, jobs)


def _huey_process(jobs: int, *, full: bool = False) -> float:
    huey, task = _huey(full)
    for _ in range(jobs):
        task(PAYLOAD)

    def work() -> None:
        while (job := huey.dequeue()) is not None:
            huey.execute(job)

    return _rate(work, jobs)


@cache
def _postgres() -> PostgresServer:
    server = PostgresServer(shared_buffers="256MB")
    server.__enter__()
    atexit.register(server.__exit__, None, None, None)
    return server


def _postgres_process(jobs: int, batch: int, *, twin: bool = False) -> float:
    server = _postgres()
    server.query("DROP SCHEMA IF EXISTS agentcore_queue CASCADE")
    with _queue(server.url, full=True, twin=twin) as queue:
        queue.enqueue_many("q", [PAYLOAD] * jobs)
        return _rate(lambda: _drain(queue, batch), jobs)


@cache
def _redis() -> str:
    socket = str(_folder() / "redis.sock")
    server = subprocess.Popen(
        [REDIS, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    atexit.register(lambda: (server.terminate(), server.wait(30)))
    end = time.monotonic() + 30
    while not Path(socket).exists():
        if time.monotonic() > end:
            raise RuntimeError("redis-server did not start within 30 s")
        time.sleep(0.02)
    return socket


def _redis_process(name: str, jobs: int) -> float:
    """Measure in a process of its own, on an empty Redis."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.queue_peers", name, _redis(), str(jobs)],
        check=True, capture_output=True, text=True, timeout=180,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def cases() -> list[Case]:
    """Make the cases; files and servers are made when first used, outside of every clock."""

    def case(
        name: str, bar: Bar, ours: Callable[[], float], **peers: tuple[str, Callable[[], float]]
    ) -> Case:
        contenders = [
            Contender(peer.replace("_", " "), version, measure)
            for peer, (version, measure) in peers.items()
            if version
        ]
        contender = Contender("FastTaskQueue", OURS_VERSION, ours)
        return Case(name, "jobs/s", "higher", contender, contenders, bar)

    def two(
        name: str, huey_bar: Bar, plain_bar: Bar, ours: Callable[[], float], **peers: Any
    ) -> list[Case]:
        """Make a case a bar: a case has one."""
        beside = {peer: peers[peer] for peer in peers if peer != "huey"}
        return [
            case(name, huey_bar, ours, huey=peers["huey"], python_twin=peers["python_twin"]),
            case(f"{name}, beside plain sqlite3", plain_bar, ours, **beside),
        ]

    made = two(
        "enqueue, SQLite, full durability, 8 producers",
        Bar("huey", 4.0, 6.0),
        Bar("plain sqlite3", 4.0, 5.0),
        lambda: _ours_enqueue(4000, 8, full=True),
        huey=(HUEY, lambda: _huey_enqueue(800, 8, full=True)),
        plain_sqlite3=(sqlite3.sqlite_version, lambda: _plain_enqueue(800, 8)),
        python_twin=(OURS_VERSION, lambda: _ours_enqueue(1600, 8, full=True, twin=True)),
    )
    made += [
        case(
            "enqueue, SQLite, relaxed, 1 producer",
            Bar("huey", 2.0, 2.6),
            lambda: _ours_enqueue(8000, 1, full=False),
            huey=(HUEY, lambda: _huey_enqueue(4000, 1, full=False)),
            python_twin=(OURS_VERSION, lambda: _ours_enqueue(4000, 1, full=False, twin=True)),
        ),
        case(
            "process, SQLite, batches of 32, relaxed",
            Bar("huey", 12.0, 19.0),
            lambda: _ours_process(20_000, 32),
            huey=(HUEY, lambda: _huey_process(2000)),
            python_twin=(OURS_VERSION, lambda: _ours_process(10_000, 32, twin=True)),
        ),
        case(
            "process, SQLite, batches of 32, full durability",
            Bar("huey", 15.0, 30.0),
            lambda: _ours_process(20_000, 32, full=True),
            huey=(HUEY, lambda: _huey_process(500, full=True)),
        ),
        case(
            "process, SQLite, one at a time",
            Bar("huey", 1.1, 1.4),
            lambda: _ours_process(4000, 1),
            huey=(HUEY, lambda: _huey_process(2000)),
        ),
        case(
            "process, SQLite, one at a time with prefetch",
            Bar("huey", 5.0, 5.0),
            lambda: _ours_prefetch(20_000),
            huey=(HUEY, lambda: _huey_process(2000)),
        ),
    ]
    if not why_not():
        redis = [CELERY if REDIS else "", DRAMATIQ if REDIS else ""]
        for name, version, bar, jobs in (
            ("celery", redis[0], Bar("celery", 20.0, 50.0), 1000),
            ("dramatiq", redis[1], Bar("dramatiq", 8.0, 20.0), 3000),
        ):
            peer = (version, lambda name=name, jobs=jobs: _redis_process(name, jobs))
            made.append(
                case(
                    f"process, PostgreSQL, batches of 32, beside {name} on Redis",
                    bar,
                    lambda: _postgres_process(20_000, 32),
                    **{name: peer},
                )
            )
    return made


_VERSIONS = {"huey": HUEY, "celery": CELERY and REDIS, "dramatiq": DRAMATIQ and REDIS}
SUBJECT = Subject("queue", cases, [name for name, version in _VERSIONS.items() if not version])
