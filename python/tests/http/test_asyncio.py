"""What only the asyncio client has: concurrency in one loop, cancellation, asynchronous bodies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from agentcore.http import AsyncFastHttpClient, HttpClosedError, Retries
from agentcore.integration import RustIntegrationManager
from tests.http.server import Conversation, Request, reply, says, serving

COMPONENT = "agent_core_utils"
Work = Callable[[AsyncFastHttpClient], Awaitable[None]]


def run(manager: RustIntegrationManager, work: Work, **options: Any) -> None:
    async def whole() -> None:
        async with AsyncFastHttpClient(manager=manager, **options) as client:
            await asyncio.wait_for(work(client), 60)

    asyncio.run(whole())


def number(request: Request, _conversation: Conversation) -> bytes:
    return reply(request.target.encode())


def test_many_at_once(manager: RustIntegrationManager) -> None:
    async def work(client: AsyncFastHttpClient) -> None:
        for _ in range(3):
            found = await asyncio.gather(*[client.get(f"{server.url}/n?{at}") for at in range(64)])
            assert [one.content for one in found] == [f"/n?{at}".encode() for at in range(64)]

    with serving(n=number) as server:
        run(manager, work)


def test_a_body_that_comes_as_it_is_made(manager: RustIntegrationManager) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(20):
            await asyncio.sleep(0)
            yield b"%04d" % at * 5000

    async def breaks() -> AsyncIterator[bytes]:
        yield b"a"
        raise LookupError("gone")

    async def work(client: AsyncFastHttpClient) -> None:
        whole = b"".join([piece async for piece in pieces()])
        assert (await client.post(f"{server.url}/x", pieces())).content == whole
        async with client.stream("POST", f"{server.url}/x", body=pieces()) as response:
            assert await response.read() == whole
        with pytest.raises(LookupError, match="gone"):
            await client.post(f"{server.url}/x", breaks())
        assert (await client.post(f"{server.url}/x", b"after")).content == b"after"

    with serving(x=lambda request, _: reply(request.body)) as server:
        run(manager, work)


def test_a_canceled_request_gives_its_connection_up(manager: RustIntegrationManager) -> None:
    gone = threading.Event()

    def silent(_request: Request, conversation: Conversation) -> None:
        try:
            conversation.sock.recv(1)
        finally:
            gone.set()

    async def work(client: AsyncFastHttpClient) -> None:
        waiting = asyncio.ensure_future(client.get(f"{server.url}/x"))
        for _ in range(3000):
            if server.asked("/x"):
                break
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        for _ in range(3000):
            if gone.is_set():
                break
            await asyncio.sleep(0.01)
        assert gone.is_set()
        assert (await client.get(f"{server.url}/y")).content == b"y"

    with serving(x=silent, y=says(reply(b"y"))) as server:
        run(manager, work, max_connections=1)


def test_what_is_under_way_fails_when_the_client_closes(manager: RustIntegrationManager) -> None:
    def silent(_request: Request, conversation: Conversation) -> None:
        conversation.sock.recv(1)

    async def work(client: AsyncFastHttpClient) -> None:
        waiting = asyncio.ensure_future(client.get(f"{server.url}/x"))
        for _ in range(3000):
            if server.asked("/x"):
                break
            await asyncio.sleep(0.01)
        client.close()
        with pytest.raises(HttpClosedError, match="the client is closed"):
            await waiting

    with serving(x=silent) as server:
        run(manager, work, retries=Retries(attempts=1))


def test_it_belongs_to_one_loop(manager: RustIntegrationManager) -> None:
    with serving(x=says(reply(b"hi"))) as server:
        client = AsyncFastHttpClient(manager=manager)

        async def fetch() -> bytes:
            return (await client.get(f"{server.url}/x")).content

        async def fail() -> None:
            with pytest.raises(RuntimeError, match="the client belongs to another event loop"):
                await client.get(f"{server.url}/x")

        first = asyncio.new_event_loop()
        assert first.run_until_complete(fetch()) == b"hi"
        asyncio.run(fail())

        async def close() -> None:
            client.close()

        first.run_until_complete(close())
        first.close()
