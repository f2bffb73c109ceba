"""When native code panics, the twin goes on with the same file, and no job is lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentcore.errors import NativeUnavailableError
from agentcore.integration import RustIntegrationManager
from agentcore.queue import FastTaskQueue
from agentcore.settings import NativeMode, Settings

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]


@pytest.fixture
def fresh(both: Both) -> Iterator[RustIntegrationManager]:
    """A native manager of its own: these tests trip it. ``both`` skips when absent."""
    lib_dir = Settings.from_env().lib_dir
    yield RustIntegrationManager(Settings(lib_dir=lib_dir), isolate=False, fault_limit=2)


def test_the_twin_goes_on_with_the_same_jobs(fresh: RustIntegrationManager, tmp_path: Path) -> None:
    with FastTaskQueue(tmp_path / "q.db", manager=fresh) as queue:
        enqueue = queue.enqueue  # bound before the fault
        ids = [enqueue("q", "a"), enqueue("q", "b", keep=9)]
        job = queue.claim("q")[0]
        assert queue._core._panic()["q"]["running"] == 1
        assert queue.implementation == "python"
        assert enqueue("q", "c") > ids[1]
        assert queue.ack(job) is True
        assert [one.payload for one in queue.claim("q", 9)] == [b"b", b"c"]
        assert queue.fail(queue.claim("q")[0] if queue.retry(ids[0]) else job) == "lost"
        queue.limit("q", concurrency=5)
        assert [one.state for one in queue.jobs()] == ["running", "running"]
        status = fresh.component_status(COMPONENT)
        assert (status.state, status.faults) == ("native", 1)


def test_a_fault_takes_all_queues_of_the_file_along(
    fresh: RustIntegrationManager, tmp_path: Path
) -> None:
    with (
        FastTaskQueue(tmp_path / "q.db", manager=fresh) as one,
        FastTaskQueue(tmp_path / "q.db", manager=fresh) as same,
        FastTaskQueue(tmp_path / "r.db", manager=fresh) as apart,
    ):
        id_ = one.enqueue("q", "x")
        one._core._panic()
        assert (one.implementation, same.implementation) == ("python", "python")
        assert apart.implementation == "native"
        found = same.get(id_)
        assert found is not None
        assert found.payload == b"x"
        assert same.enqueue("q") > id_
        with FastTaskQueue(tmp_path / "q.db", manager=fresh) as later:
            assert later.implementation == "python"
        assert fresh.component_status(COMPONENT).faults == 1


def test_a_tripped_component_leaves_no_native_queue(
    fresh: RustIntegrationManager, tmp_path: Path
) -> None:
    queues = [FastTaskQueue(tmp_path / f"{n}.db", manager=fresh) for n in range(3)]
    for queue in queues[:2]:
        queue._core._panic()
    assert fresh.component_status(COMPONENT).state == "tripped"
    assert [queue.implementation for queue in queues] == ["python"] * 3
    assert queues[2].enqueue("q") > 0
    for queue in queues:
        queue.close()


def test_enqueues_of_other_threads_survive_the_fault(
    fresh: RustIntegrationManager, tmp_path: Path
) -> None:
    with FastTaskQueue(tmp_path / "q.db", durability="relaxed", manager=fresh) as queue:

        def produce(number: int) -> list[int]:
            return [queue.enqueue("q", str(number)) for _ in range(200)]

        with ThreadPoolExecutor() as pool:
            made = [pool.submit(produce, number) for number in range(4)]
            queue._core._panic()
            ids = [id_ for one in made for id_ in one.result(100)]
        stored = {job.id for job in queue.jobs("q", limit=10_000)}
        assert set(ids) <= stored  # a commit that was under way may have been done twice
        assert len(set(ids)) == 800


def test_required_native_code_raises_instead(both: Both, tmp_path: Path) -> None:
    settings = Settings(native=NativeMode.REQUIRE, lib_dir=Settings.from_env().lib_dir)
    manager = RustIntegrationManager(settings, isolate=False)
    with (
        FastTaskQueue(tmp_path / "q.db", manager=manager) as queue,
        pytest.raises(NativeUnavailableError, match="on purpose"),
    ):
        try:
            queue._core._panic()
        finally:
            queue.close = lambda: None  # type: ignore[method-assign]
