"""When native code panics, the twin answers; nobody sees a PanicException."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentcore.errors import NativeUnavailableError
from agentcore.http import AsyncFastHttpClient, FastHttpClient
from agentcore.integration import RustIntegrationManager
from agentcore.settings import NativeMode, Settings
from tests.http.server import reply, says, serving

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
