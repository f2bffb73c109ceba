"""A user's program, as `mypy --strict` reads it: the package's types say what comes out.

The checks of types are mypy's (``make check``); running it shows that the types tell the truth.
"""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import agentcore
from agentcore import FastCacheManager, FastHttpClient, FastStringProcessor, FastTaskQueue
from agentcore.cache import cached
from agentcore.http import HttpRequest
from agentcore.integration import ComponentStatus, RustIntegrationManager


@cached(maxsize=10)
def length(text: str) -> int:
    return len(text)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(agentcore.__file__).parent / "py.typed").exists()


def test_a_program(tmp_path: Path) -> None:
    cache = FastCacheManager[str, int](10)
    cache.set("a", 1)
    assert_type(cache.get("a"), int | None)
    assert_type(cache.get("b", "none"), int | str)
    assert_type(cache["a"], int)
    assert_type(cache.get_many(["a"]), list[int | None])
    assert cache.get_or_load("c", len) == 1
    assert_type(length("four"), int)

    text = FastStringProcessor()
    assert_type(text.redact("a@b.de"), str)
    assert_type(text.finder(["a"]).find("banana"), list[tuple[int, int, int]])

    with FastHttpClient() as client:
        assert_type(client, FastHttpClient)
        assert HttpRequest("GET", "http://127.0.0.1/").method == "GET"

    queue = FastTaskQueue(tmp_path / "jobs.db")
    assert_type(queue.enqueue("q", "payload"), int)
    for job in queue.claim("q", 1):
        assert_type(job.payload, bytes)
        assert queue.ack(job)
    queue.close()
    status = RustIntegrationManager().component_status("agent_core_utils")
    assert_type(status, ComponentStatus)
