"""``agentcore queue``, over a queue in a file: what it prints and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agentcore.cli import main
from agentcore.queue import FastTaskQueue

Output = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "queue.db")


@pytest.fixture
def ids(file: str) -> list[int]:
    """A ready job, a delayed one, a dead one and a running one."""
    with FastTaskQueue(file) as queue:
        ready = queue.enqueue("mail", "hello", keep=60)
        later = queue.enqueue("mail", b"\xff", delay=3600)
        dead = queue.enqueue("mail", "poor", priority=1)
        queue.fail(queue.claim("mail")[0], "ValueError: no\nmore", bury=True)
        running = queue.enqueue("index", "x")
        queue.claim("index", lease=600)
        queue.limit("index", concurrency=4, rate=2.0, burst=3)
        queue.schedule("nightly", "0 3 * * *", "index")
    return [ready, later, dead, running]


def ask(capsys: Output, *arguments: str) -> tuple[int, str]:
    status = main(["queue", *arguments])
    return status, capsys.readouterr().out


def test_stats(file: str, ids: list[int], capsys: Output) -> None:
    status, out = ask(capsys, "stats", file)
    assert status == 0
    assert out.splitlines()[1].split() == (
        "index 0 0 1 0 0 0 4 at a time, 2 a second, 3 at once".split()
    )
    assert "nightly" in out
    body = json.loads(ask(capsys, "stats", file, "--format", "json")[1])
    assert [one["name"] for one in body["queues"]] == ["index", "mail"]
    assert body["queues"][1]["jobs"]["dead"] == 1
    assert body["schedules"][0]["expression"] == "0 3 * * *"


def test_list_and_show(file: str, ids: list[int], capsys: Output) -> None:
    _, out = ask(capsys, "list", file, "--queue", "mail", "--state", "dead")
    assert out.splitlines()[1].split()[:5] == [str(ids[2]), "mail", "dead", "1", "1/5"]
    assert out.rstrip().endswith("ValueError: no")
    jobs = json.loads(ask(capsys, "list", file, "--format", "json")[1])
    assert sorted(one["id"] for one in jobs) == sorted(ids)
    assert {one["id"]: one.get("payload_base64") for one in jobs}[ids[1]] == "/w=="
    after = json.loads(ask(capsys, "list", file, "--after", str(max(ids)), "--format", "json")[1])
    assert after == []
    status, out = ask(capsys, "show", file, str(ids[0]))
    assert status == 0
    assert "payload       hello" in out


def test_retry_bury_and_cancel(file: str, ids: list[int], capsys: Output) -> None:
    assert ask(capsys, "retry", file, str(ids[2])) == (0, f"{ids[2]}: retry done\n")
    told = f"{ids[2]}: it is ready, nothing done\n"
    assert ask(capsys, "retry", file, str(ids[2])) == (1, told)
    assert ask(capsys, "bury", file, str(ids[1]), "--error", "old")[0] == 0
    assert ask(capsys, "cancel", file, str(ids[0]), str(ids[3]))[0] == 0
    with FastTaskQueue(file) as queue:
        assert [job.state for job in queue.jobs("mail")] == ["ready", "cancelled", "dead"]
        assert queue.jobs("index") == []
    assert main(["queue", "show", file, "12345"]) == 3
    assert "there is no such job; expected an id that 'list' shows" in capsys.readouterr().err


def test_purge_drain_and_resume(file: str, ids: list[int], capsys: Output) -> None:
    assert ask(capsys, "purge", file, "mail", "--state", "dead") == (0, "1 jobs deleted\n")
    status, out = ask(capsys, "drain", file, "index", "--timeout", "0.01")
    assert status == 1
    assert out == "index is paused; 1 jobs still run after 0.01 s\n"
    assert ask(capsys, "drain", file, "mail")[0] == 0
    with FastTaskQueue(file) as queue:
        assert queue.claim("mail") == []
        assert ask(capsys, "resume", file, "mail") == (0, "mail hands out jobs\n")
        assert len(queue.claim("mail")) == 1


def test_metrics_are_what_prometheus_reads(file: str, ids: list[int], capsys: Output) -> None:
    _, out = ask(capsys, "metrics", file)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(out)
        for sample in family.samples
    }
    assert found["agentcore_queue_jobs", "mail", "dead"] == 1
    assert found["agentcore_queue_jobs", "index", "running"] == 1
    assert found["agentcore_queue_concurrency_limit", "index"] == 4
    assert found["agentcore_queue_rate_limit", "index"] == 2
    assert found["agentcore_queue_paused", "mail"] == 0
    assert found["agentcore_queue_ready_age_seconds", "mail"] >= 0


def test_what_is_refused(file: str, capsys: Output) -> None:
    assert main(["queue", "stats", file]) == 3
    assert "there is no such file" in capsys.readouterr().err
    assert main(["queue", "stats", "postgresql:///x?host=/nowhere"]) == 1
    for arguments in (["show", file, "x"], ["list", file, "--limit", "0"]):
        assert main(["queue", *arguments]) == 64
    with pytest.raises(SystemExit, match="64"):
        main(["queue", "vanish", file])
