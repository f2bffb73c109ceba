"""A queue for each implementation and each database, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentcore.integration import RustIntegrationManager
from agentcore.queue import FastTaskQueue
from benchmarks.postgres import PostgresServer, why_not


class Clock:
    """Seconds since 1970 that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if why_not():
        pytest.skip(why_not())
    with PostgresServer(fsync="off") as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty queue is."""
    if request.param == "sqlite":
        return str(tmp_path / "queue.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    server.query("DROP SCHEMA IF EXISTS agentcore_queue CASCADE")
    return server.url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_queue(
    manager: RustIntegrationManager, target: str, clock: Clock
) -> Iterator[Callable[..., FastTaskQueue]]:
    """Opens the queue at ``target``, as often as wanted; closes them all."""
    opened: list[FastTaskQueue] = []

    def open_(**options: Any) -> FastTaskQueue:
        given: dict[str, Any] = {
            "clock": clock,
            "jitter": lambda: 0.0,
            "manager": manager,
        } | options
        opened.append(FastTaskQueue(target, **given))
        return opened[-1]

    yield open_
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(open_queue: Callable[..., FastTaskQueue]) -> FastTaskQueue:
    return open_queue()
