"""TieredCache against a real server: shared values, and what happens when the server goes."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agentcore.cache import FastCacheManager, TieredCache
from agentcore.cache import shared as module
from agentcore.errors import ConfigurationError
from agentcore.integration import RustIntegrationManager

COMPONENT = "agent_core_utils"
PATIENCE = 30.0


class Server:
    """A Redis or Valkey of this test, on a Unix socket."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        import redis

        command = [self._program, "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(redis.RedisError):
                if redis.Redis.from_url(self.url).ping():
                    return
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("neither valkey-server nor redis-server is installed")
    one = Server(program, tmp_path_factory.mktemp("r"))
    yield one
    one.stop()


Make = Callable[..., "TieredCache[Any]"]


@pytest.fixture
def make(server: Server, manager: RustIntegrationManager) -> Iterator[Make]:
    made: list[TieredCache[Any]] = []

    def build(**options: Any) -> TieredCache[Any]:
        local = FastCacheManager[str, Any](100, manager=manager)
        options.setdefault("timeout", PATIENCE)
        made.append(TieredCache(local, server.url, **options))
        return made[-1]

    yield build
    for one in made:
        one.close()


def test_what_one_stores_another_gets(make: Make) -> None:
    one, other = make(), make()
    one.set("a", {"x": [1, 2]})
    one.set_many({"b": 1, "c": None})
    assert other.get("a") == {"x": [1, 2]}
    assert other.get_many(["a", "b", "c", "d"], "none") == [{"x": [1, 2]}, 1, None, "none"]
    assert other.local.get("b") == 1
    assert other.delete("b")
    assert make().get("b", "none") == "none"
    assert one.get("b") == 1  # its own copy, until its time is up or it is told
    status = other.status()
    assert (status.state, status.hits, status.misses, status.failures) == ("up", 3, 1, 0)


def test_prefixes_part_the_users_of_one_server(make: Make) -> None:
    make(prefix="a:").set("k", 1)
    assert make(prefix="b:").get("k") is None


def test_a_local_copy_does_not_outlive_the_shared_value(
    server: Server, manager: RustIntegrationManager
) -> None:
    now = [0.0]
    local = FastCacheManager[str, int](100, clock=lambda: now[0], manager=manager)
    one, other = (
        TieredCache(cache, server.url) for cache in (FastCacheManager[str, int](10), local)
    )
    one.set("k", 1, ttl=3600)
    assert other.get("k") == 1
    assert other.get_or_load("k", lambda _: 2) == 1
    one.delete("k")
    now[0] = 3500.0
    assert other.get("k") == 1
    now[0] = 3601.0
    assert other.get("k") is None
    one.close()
    other.close()


def test_a_load_runs_once_and_is_shared(make: Make) -> None:
    one, other = make(ttl=60), make()
    ran: list[str] = []

    def load(key: str) -> int:
        ran.append(key)
        return 42

    with_all = threading.Barrier(8)

    def ask() -> None:
        with_all.wait(PATIENCE)
        assert one.get_or_load("k", load) == 42

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert ran == ["k"]
    assert other.get_or_load("k", load) == 42
    assert ran == ["k"]
    assert other.local.peek("k") == 42


def test_what_can_not_be_serialized_is_stored_nowhere(make: Make) -> None:
    cache = make()
    with pytest.raises(TypeError):
        cache.set_many({"good": 1, "bad": object()})
    assert cache.get("good") is None


def test_a_value_of_another_program_is_missing(make: Make) -> None:
    cache = make()
    cache._client.set("agentcore:k", b"\xff not JSON")
    assert cache.get("k", "none") == "none"


def test_a_lost_server_leaves_the_local_cache(
    make: Make, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    caplog.set_level("INFO", logger=module.__name__)
    cache, neighbor = make(clock=lambda: now[0]), make()
    cache.set_many({"kept": 1, "changed": 1, "gone": 1})
    server.stop()
    assert cache.get("kept") == 1
    assert cache.get("unknown", "none") == "none"
    assert cache.status().state == "lost"
    assert "Error" in cache.status().reason
    cache.set("changed", 2)
    cache.delete("gone")
    assert cache.get_or_load("loaded", lambda _: 3) == 3
    assert cache.status().noted == 3
    assert caplog.text.count("the shared cache is lost, the local one goes on") == 1
    server.start()
    client = neighbor._client
    for key in ("changed", "gone"):
        client.set(f"agentcore:{key}", b"1")  # as a server with a memory would have it
    assert cache.get("unknown", "none") == "none"  # too early to try again
    assert cache.status().state == "lost"
    now[0] = 60.0
    assert cache.get("unknown", "none") == "none"
    assert (cache.status().state, cache.status().noted) == ("up", 0)
    assert client.exists("agentcore:changed", "agentcore:gone") == 0
    assert "the shared cache is back" in caplog.text
    assert cache.get("changed") == 2


def test_too_many_changes_drop_all_keys_of_the_prefix(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NOTED_LIMIT", 5)
    now = [0.0]
    cache, other = make(clock=lambda: now[0], prefix="a*b:"), make(prefix="axb:")
    server.stop()
    for number in range(10):
        cache.set(f"k{number}", number)
    server.start()
    client = other._client
    client.mset({"a*b:k1": b"0", "a*b:other": b"0", "axb:k1": b"0"})
    now[0] = 60.0
    cache.get("none")
    assert cache.status().state == "up"
    assert client.keys("*") == [b"axb:k1"]


def test_it_begins_without_a_server(manager: RustIntegrationManager, tmp_path: Path) -> None:
    pytest.importorskip("redis")
    local = FastCacheManager[str, int](10, manager=manager)
    cache = TieredCache(local, f"unix://{tmp_path}/nobody")
    cache.set("k", 1)
    assert cache.get("k") == 1
    assert cache.status().state == "lost"


@pytest.mark.parametrize(
    ("url", "options", "error", "message"),
    [
        ("http://user:secret@x", {}, ConfigurationError, "redis://HOST:PORT/DATABASE"),
        ("redis://x", {"ttl": 0}, ValueError, "ttl must be above 0 seconds, got 0"),
        (b"redis://x", {}, TypeError, "url must be str, got bytes"),
    ],
)
def test_bad_arguments(
    url: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        TieredCache(FastCacheManager[str, int](10), url, **options)
    assert "secret" not in str(caught.value)
