"""AsyncFastHttpClient: the same client inside an asyncio loop (or uvloop's).

What the methods return can be awaited, and begins at once. The native client lends one
descriptor to the loop that its first request is made in; it belongs to that loop from then on.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable
from types import TracebackType
from typing import Any, Self

from agentcore.errors import AgentCoreError
from agentcore.http.contract import Body, Headers, HttpRequest, Response
from agentcore.http.facade import Base, checked_limit
from agentcore.integration import RustIntegrationManager

__all__ = ["AsyncFastHttpClient", "AsyncStreamedResponse"]

_AHEAD = 4  # pieces of an upload that may wait to be sent


class _NativeStream:
    """A stream of the native client, by its number there."""

    def __init__(self, core: Any, key: int, head: tuple[Any, ...]) -> None:
        self._core = core
        self._key = key
        self._head = head

    def head(self) -> tuple[Any, ...]:
        return self._head

    async def next_piece(self) -> bytes:
        piece: bytes = await self._core.next_piece(self._key)
        return piece

    def close(self) -> None:
        self._core.abandon(self._key)


class AsyncStreamedResponse:
    """A response whose body is read piece by piece; see ``facade.StreamedResponse``."""

    def __init__(self, core: Any) -> None:
        self._core = core
        (self.status, self.headers, self.url, self.http_version, self.history,
         self.requests_sent) = core.head()  # fmt: skip

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the pieces of the body as they come; raises as a request does."""
        while piece := await self._core.next_piece():
            yield piece

    async def read(self) -> bytes:
        """Return the rest of the body."""
        return b"".join([piece async for piece in self])

    def close(self) -> None:
        """Give the connection up if something is left on it."""
        self._core.close()


class _Opening:
    """What ``stream`` returns: to be awaited, or entered with ``async with``."""

    def __init__(self, opening: Awaitable[Any]) -> None:
        self._opening = opening
        self._opened: AsyncStreamedResponse | None = None

    def __await__(self) -> Any:
        return self._open().__await__()

    async def _open(self) -> AsyncStreamedResponse:
        return AsyncStreamedResponse(await self._opening)

    async def __aenter__(self) -> AsyncStreamedResponse:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            self._opened.close()


class AsyncFastHttpClient(Base):
    """An HTTP client for asyncio; arguments and promises are those of ``FastHttpClient``.

    A body may also be an asynchronous iterable of bytes.
    """

    def __init__(self, *, manager: RustIntegrationManager | None = None, **options: Any) -> None:
        super().__init__("AsyncHttpClient", manager, options)
        self._native_request = self._core.request
        if not self._bridge.crossed:
            vars(self).pop("request")

    def get(
        self, url: str, headers: Headers | None = None, deadline: float | None = None
    ) -> Awaitable[Response]:
        """Fetch ``url``; see ``FastHttpClient.request``."""
        found: Awaitable[Response] = self._core.get(url, headers, deadline)
        return found

    def request(
        self,
        method: str,
        url: str,
        headers: Headers | None = None,
        body: Body | AsyncIterable[bytes] | None = None,
        idempotent: bool | None = None,
        deadline: float | None = None,
        max_bytes: int | None = None,
    ) -> Awaitable[Response]:
        """Send a request; see ``FastHttpClient.request``."""
        more = (idempotent, deadline, max_bytes)
        if isinstance(body, AsyncIterable) and not self._bridge.crossed:
            import asyncio  # late: it is slow to load, and the blocking client does without

            return asyncio.ensure_future(
                self._upload((method, url, headers, None, *more), body, streamed=False)
            )
        found: Awaitable[Response] = self._native_request(method, url, headers, body, *more)
        return found

    def head(self, url: str, **more: Any) -> Awaitable[Response]:
        """Send HEAD."""
        return self.request("HEAD", url, **more)

    def delete(self, url: str, **more: Any) -> Awaitable[Response]:
        """Send DELETE."""
        return self.request("DELETE", url, **more)

    def post(
        self, url: str, body: Body | AsyncIterable[bytes] | None = None, **more: Any
    ) -> Awaitable[Response]:
        """Send POST."""
        return self.request("POST", url, body=body, **more)

    def put(
        self, url: str, body: Body | AsyncIterable[bytes] | None = None, **more: Any
    ) -> Awaitable[Response]:
        """Send PUT."""
        return self.request("PUT", url, body=body, **more)

    def patch(
        self, url: str, body: Body | AsyncIterable[bytes] | None = None, **more: Any
    ) -> Awaitable[Response]:
        """Send PATCH."""
        return self.request("PATCH", url, body=body, **more)

    def stream(
        self,
        method: str,
        url: str,
        headers: Headers | None = None,
        body: Body | AsyncIterable[bytes] | None = None,
        idempotent: bool | None = None,
        deadline: float | None = None,
        max_bytes: int | None = None,
    ) -> _Opening:
        """Send a request; give the response when its head is there. For ``async with``."""
        arguments = (method, url, headers, body, idempotent, deadline, max_bytes)
        if self._bridge.crossed:
            twin = self._bridge.twin or self._core
            return _Opening(twin.open_stream(*arguments))
        return _Opening(self._open_native(arguments))

    def fetch_many(
        self, requests: Iterable[str | HttpRequest], limit: int = 64
    ) -> Awaitable[list[Response | AgentCoreError]]:
        """Fetch all, at most ``limit`` at once; results in order, errors as values among them."""
        found: Awaitable[list[Response | AgentCoreError]] = self._core.fetch_many(
            requests, checked_limit(limit)
        )
        return found

    def close(self) -> None:
        """Close connections; requests under way fail, and later ones are refused."""
        self._core.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def _open_native(self, arguments: tuple[Any, ...]) -> _NativeStream:
        method, url, headers, body, *more = arguments
        if isinstance(body, AsyncIterable):
            opened = await self._upload((method, url, headers, None, *more), body, streamed=True)
        else:
            _, future, _ = self._core.begin(*arguments, streamed=True)
            opened = await future
        key, head = opened
        return _NativeStream(self._core, key, head)

    async def _upload(
        self, arguments: tuple[Any, ...], body: AsyncIterable[bytes], *, streamed: bool
    ) -> Any:
        """Send a body as an asynchronous iterable gives it, never far ahead of the socket."""
        import asyncio

        key, future, feed = self._core.begin(*arguments, fed=True, streamed=streamed)
        try:
            async for piece in body:
                feed.push(piece)
                self._core.poke(key)
                while feed.waiting() > _AHEAD and not future.done():
                    await asyncio.sleep(0.001)  # ends with the future, which has its timeouts
                if future.done():
                    break
            feed.end()
            self._core.poke(key)
            return await future
        except BaseException:
            self._core.abandon(key)
            raise
