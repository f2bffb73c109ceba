"""When native code panics, the twin answers; nobody sees a PanicException."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from agentcore.errors import NativeUnavailableError
from agentcore.http import AsyncFastHttpClient, FastHttpClient, ProtocolError
from agentcore.integration import RustIntegrationManager
from agentcore.settings import NativeMode, Settings
from tests.http.server import PATIENCE, Conversation, Request, reply, says, serving

COMPONENT = "agent_core_utils"
Both = tuple[RustIntegrationManager, RustIntegrationManager]


@pytest.fixture
def fresh(both: Both) -> RustIntegrationManager:
    """A native manager of its own: these tests trip it. ``both`` skips when absent."""
    lib_dir = Settings.from_env().lib_dir
    return RustIntegrationManager(Settings(lib_dir=lib_dir), isolate=False, fault_limit=2)


def test_a_panic_is_answered_by_the_twin_and_counted(fresh: RustIntegrationManager) -> None:
    with serving(x=says(reply(b"hi"))) as server:
        url = f"{server.url}/x"
        with FastHttpClient(manager=fresh) as client:
            get = client.get  # bound before the fault
            assert client.get(url).content == b"hi"
            native: Any = client._core
            assert native._panic(url).content == b"hi"
            assert client.implementation == "python"
            assert get(url).content == client.post(url, b"x").content == b"hi"
            with client.stream("GET", url) as response:
                assert response.read() == b"hi"
            assert [one.content for one in client.fetch_many([url])] == [b"hi"]  # type: ignore[union-attr]
            assert client.metrics()[f"http://127.0.0.1:{server.port}"].requests == 5
        assert fresh.component_status(COMPONENT).faults == 1


def test_a_panic_in_a_loop(fresh: RustIntegrationManager) -> None:
    async def work(url: str) -> None:
        async with AsyncFastHttpClient(manager=fresh) as client:
            get = client.get
            assert (await get(url)).content == b"hi"
            native: Any = client._core
            assert (await native._panic(url)).content == b"hi"
            assert client.implementation == "python"
            assert (await get(url)).content == b"hi"
            assert (await client.post(url, b"x")).content == b"hi"
            async with client.stream("GET", url) as response:
                assert await response.read() == b"hi"

    with serving(x=says(reply(b"hi"))) as server:
        asyncio.run(work(f"{server.url}/x"))


def test_the_component_trips_and_takes_all_clients_along(fresh: RustIntegrationManager) -> None:
    with serving(x=says(reply(b"hi"))) as server:
        url = f"{server.url}/x"
        innocent = FastHttpClient(manager=fresh)
        for _ in range(2):
            with FastHttpClient(manager=fresh) as faulty:
                native: Any = faulty._core
                native._panic(url)
        assert fresh.component_status(COMPONENT).state == "tripped"
        assert innocent.implementation == "python"
        assert innocent.get(url).content == b"hi"
        innocent.close()
        with FastHttpClient(manager=fresh) as later:
            assert later.implementation == "python"


def test_required_native_code_fails_with_the_cause(both: Both) -> None:
    settings = Settings(native=NativeMode.REQUIRE, lib_dir=Settings.from_env().lib_dir)
    with FastHttpClient(manager=RustIntegrationManager(settings, isolate=False)) as client:
        native: Any = client._core
        with pytest.raises(NativeUnavailableError, match="panic: on purpose"):
            native._panic("http://127.0.0.1:1/")


def test_a_panic_in_the_loop_s_own_step_reaches_all_who_wait(fresh: RustIntegrationManager) -> None:
    go = threading.Event()

    def late(request: Request, talk: Conversation) -> bytes:
        go.wait(PATIENCE)
        return reply(b"late")

    def halved(request: Request, talk: Conversation) -> bytes:
        talk.send(reply(b"whole body")[:-5])
        go.wait(PATIENCE)
        return b" body"

    async def work(url: str) -> None:
        async with AsyncFastHttpClient(manager=fresh) as client:
            async with client.stream("GET", f"{url}/halved") as response:
                one = client.get(f"{url}/late")
                many = client.fetch_many([f"{url}/late"] * 3, 2)
                native: Any = client._core
                native._trap()
                go.set()
                for future in (one, many):
                    with pytest.raises(ProtocolError, match="faulted under way: panic: on purpose"):
                        await asyncio.wait_for(future, PATIENCE)
                with pytest.raises(ProtocolError, match="fault"):
                    await response.read()
            assert client.implementation == "python"
            assert (await client.get(f"{url}/late")).content == b"late"
        assert fresh.component_status(COMPONENT).faults == 1

    with serving(late=late, halved=halved) as server:
        asyncio.run(work(server.url))
