"""The SQLite file: what is refused, and both implementations on one file at the same time."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agentcore.integration import RustIntegrationManager
from agentcore.queue import FastTaskQueue, QueueError

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]

_OTHER = """
import sys
from agentcore.integration import RustIntegrationManager
from agentcore.queue import FastTaskQueue
from agentcore.settings import NativeMode, Settings
mode = NativeMode.OFF if sys.argv[2] == "python" else NativeMode.AUTO
settings = Settings(native=mode, lib_dir=Settings.from_env().lib_dir)
with FastTaskQueue(sys.argv[1], manager=RustIntegrationManager(settings)) as queue:
    assert queue.implementation == sys.argv[2], queue.implementation
    exec(sys.argv[3])
"""


def in_another_process(file: Path, implementation: str, text: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", _OTHER, str(file), implementation, text],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip


def refusal(file: Path, manager: RustIntegrationManager) -> str:
    with pytest.raises(QueueError) as raised:
        FastTaskQueue(file, manager=manager)
    return str(raised.value).replace(str(file), "FILE")


def test_what_is_no_queue_is_refused(manager: RustIntegrationManager, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("this is not a database, and it is long enough to be read as one" * 40)
    assert refusal(text, manager) == (
        "FILE: SQLite: file is not a database; expected a sound file: restore it from a backup,"
        " or move it away to start anew"
    )
    assert refusal(tmp_path / "gone" / "q.db", manager) == (
        "FILE: its folder does not exist; expected a file in an existing folder"
    )
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE theirs(id)")
    connection.close()
    assert refusal(foreign, manager) == (
        "FILE: it is another program's database; expected a queue's file"
    )


def test_a_newer_schema_is_refused(manager: RustIntegrationManager, tmp_path: Path) -> None:
    file = tmp_path / "q.db"
    FastTaskQueue(file, manager=manager).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    assert refusal(file, manager) == (
        "FILE: it was written by a newer release (schema 9); expected schema 1,"
        " or a newer agentcore"
    )


def test_a_damaged_page_is_told(manager: RustIntegrationManager, tmp_path: Path) -> None:
    file = tmp_path / "q.db"
    with FastTaskQueue(file, manager=manager) as queue:
        queue.enqueue_many("q", ["x" * 500] * 200)
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * (size - 4096))
    with pytest.raises(QueueError, match="malformed; expected a sound file"):  # noqa: SIM117
        with FastTaskQueue(file, manager=manager) as queue:
            queue.claim("q", 200)


def test_a_process_opens_a_file_one_way(both: Both, tmp_path: Path) -> None:
    python, native = both
    file = tmp_path / "q.db"
    with FastTaskQueue(file, manager=native) as one:
        with pytest.raises(QueueError, match="this process has the file open natively"):
            FastTaskQueue(file, manager=python)
        assert one.implementation == "native"
    with FastTaskQueue(file, manager=python), FastTaskQueue(file, manager=native) as joined:
        assert joined.implementation == "python"


@pytest.mark.parametrize(("here", "there"), [("native", "python"), ("python", "native")])
def test_the_twins_work_one_file_at_the_same_time(
    both: Both, tmp_path: Path, here: str, there: str
) -> None:
    file = tmp_path / "q.db"
    with FastTaskQueue(file, manager=both[here == "native"]) as queue:
        ids = [queue.enqueue("q", "mine", key="k"), queue.enqueue("q", "more", delay=3600.0)]
        told = in_another_process(
            file,
            there,
            "assert queue.enqueue('q', 'theirs', key='k') == queue.jobs('q', 'ready')[0].id\n"
            "job = queue.claim('q')[0]\nassert queue.ack(job)\n"
            "print(queue.enqueue_many('q', ['one', 'two'], priority=1)[0])\n"
            "queue.schedule('s', '@daily', 'q')",
        )
        assert [job.payload for job in queue.claim("q", 5)] == [b"one", b"two"]
        assert queue.get(int(told)) is not None
        assert queue.get(ids[0]) is None
        assert [one.name for one in queue.schedules()] == ["s"]
        assert queue.counts()["q"]["delayed"] == 1
