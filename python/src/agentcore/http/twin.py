"""The HTTP client in pure Python: the reference that the native one must equal.

Two drivers move the same generators: :class:`HttpClient` blocks the calling thread,
:class:`AsyncHttpClient` waits in asyncio's loop.
"""

# ruff: noqa: D102 - the facade documents the methods
from __future__ import annotations

import asyncio
import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agentcore.http.compare import HttpCourse, http_join, http_parse_response, http_parse_url
from agentcore.http.engine import Engine, Flight, closed
from agentcore.http.fault import Fault
from agentcore.http.link import Enter, Find, Late, Next, Sleep, Steps, Wait
from agentcore.http.order import Order, checked_order
from agentcore.http.response import Response

__all__ = [
    "AsyncHttpClient",
    "HttpClient",
    "HttpCourse",
    "http_join",
    "http_parse_response",
    "http_parse_url",
]

MakeError = Callable[[str, str, str], BaseException]

_TICK = 0.02  # how often one that waits for a place looks whether there is one


class _Base:
    """What the blocking and the asyncio client have in common."""

    asynchronous = False

    def __init__(self, options: dict[str, Any], make_error: MakeError) -> None:
        self._make_error = make_error
        try:
            self._engine = Engine({**options, "asynchronous": self.asynchronous})
        except Fault as fault:
            raise make_error(fault.kind, fault.text, "") from None

    def metrics(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        return self._engine.metrics()

    def _order(self, *arguments: Any) -> Order:
        try:
            return checked_order(self._engine.options, *arguments)
        except Fault as fault:
            raise self._make_error(fault.kind, fault.text, "") from None

    def _flight(self, order: Order) -> Flight:
        try:
            return Flight(self._engine, order)
        except Fault as fault:
            raise self._make_error(fault.kind, fault.text, "") from None

    def _error(self, fault: Fault, place: str) -> BaseException:
        if fault.cause is not None:
            return fault.cause
        return self._make_error(fault.kind, fault.text, place)

    def _orders(self, requests: Iterable[Any]) -> list[Order | BaseException]:
        orders: list[Order | BaseException] = []
        for at, request in enumerate(requests):
            if isinstance(request, str):
                arguments: tuple[Any, ...] = ("GET", request)
            elif isinstance(request, tuple) and len(request) == 5:
                arguments = request
            else:
                kind = type(request).__name__
                raise TypeError(f"requests[{at}] must be a URL or an HttpRequest, got {kind}")
            try:
                orders.append(checked_order(self._engine.options, *arguments))
            except Fault as fault:
                orders.append(self._make_error(fault.kind, fault.text, ""))
        return orders


def _addresses(host: str, port: int) -> list[str]:
    try:
        # As bytes, so that no codec of Python's judges the name first.
        found = socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(entry[4][0]) for entry in found]


class HttpClient(_Base):
    """A blocking client; see the contract."""

    def get(self, url: str, headers: Any = None, deadline: Any = None) -> Response:
        return self.request("GET", url, headers, None, None, deadline)

    def request(
        self,
        method: str,
        url: str,
        headers: Any = None,
        body: Any = None,
        idempotent: bool | None = None,
        deadline: Any = None,
        max_bytes: int | None = None,
    ) -> Response:
        order = self._order(method, url, headers, body, idempotent, deadline, max_bytes)
        flight = self._flight(order)
        return Response(flight, self._drive(flight, flight.run()))

    def open_stream(self, *arguments: Any) -> _Stream:
        order = self._order(*arguments)
        order.streamed = True
        flight = self._flight(order)
        self._drive(flight, flight.run())
        return _Stream(self, flight)

    def fetch_many(self, requests: Iterable[Any], limit: int = 64) -> list[Any]:
        def one(order: Order | BaseException) -> Any:
            if isinstance(order, BaseException):
                return order
            try:
                flight = self._flight(order)
                return Response(flight, self._drive(flight, flight.run()))
            except Exception as error:  # noqa: BLE001 - errors are values here
                return error

        orders = self._orders(requests)
        if not orders:
            return []
        with ThreadPoolExecutor(min(max(limit, 1), len(orders)), "agentcore-http") as pool:
            return list(pool.map(one, orders))

    def close(self) -> None:
        self._engine.close()

    def _drive(self, flight: Flight, steps: Steps) -> Any:
        """Run a generator to its end, doing what it waits for."""
        answer: Any = None
        error: Exception | None = None
        try:
            while True:
                wanted = steps.send(answer) if error is None else steps.throw(error)
                error = None
                try:
                    answer = self._do(wanted)
                except Late as late:
                    error = late
                if self._engine.is_closed:
                    error = closed()
        except StopIteration as end:
            return end.value
        except Fault as fault:
            raise self._error(fault, flight.place) from None

    def _do(self, wanted: Any) -> Any:
        if isinstance(wanted, Wait):
            return _wait(wanted, self._engine)
        if isinstance(wanted, Sleep):
            sleep = self._engine.options["sleep"] or time.sleep
            return sleep(wanted.seconds)
        if isinstance(wanted, Enter):
            while not self._engine.enter():
                if time.monotonic() >= wanted.until:
                    raise Late
                time.sleep(_TICK / 4)
            return None
        assert isinstance(wanted, Find)  # noqa: S101 - there is no other for a blocking client
        found: list[list[str]] = []
        thread = threading.Thread(
            target=lambda: found.append(_addresses(wanted.host, wanted.port)), daemon=True
        )
        thread.start()
        thread.join(min(max(wanted.until - time.monotonic(), 0.0), threading.TIMEOUT_MAX))
        if not found:
            raise Late
        return found[0]


def _wait(wanted: Wait, engine: Engine) -> None:
    """Wait for a socket; wake now and then to see whether the client was closed."""
    poll = select.poll()
    flags = (select.POLLIN if wanted.read else 0) | (select.POLLOUT if wanted.write else 0)
    poll.register(wanted.sock, flags)
    while True:
        left = wanted.until - time.monotonic()
        if left <= 0:
            raise Late
        if poll.poll(math.ceil(min(left, 0.25) * 1000)) or engine.is_closed:
            return


class _Stream:
    """A response whose body is read piece by piece."""

    def __init__(self, client: HttpClient, flight: Flight) -> None:
        self._client = client
        self._flight = flight

    def head(self) -> tuple[Any, ...]:
        return _head(self._flight)

    def next_piece(self) -> bytes:
        flight = self._flight
        while not flight.is_over:
            piece: bytes = self._client._drive(flight, flight.next_piece())
            if piece:
                return piece
        return b""

    def close(self) -> None:
        if not self._flight.is_over:
            self._flight.abandon()


def _head(flight: Flight) -> tuple[Any, ...]:
    response = Response(flight, b"")
    return (
        response.status, response.headers, response.url, response.http_version,
        response.history, response.requests_sent,
    )  # fmt: skip


class AsyncHttpClient(_Base):
    """A client of asyncio; see the contract. What its methods return can be awaited."""

    asynchronous = True

    def __init__(self, options: dict[str, Any], make_error: MakeError) -> None:
        super().__init__(options, make_error)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._entering: deque[asyncio.Future[None]] = deque()

    def get(self, url: str, headers: Any = None, deadline: Any = None) -> asyncio.Task[Any]:
        return self.request("GET", url, headers, None, None, deadline)

    def request(
        self,
        method: str,
        url: str,
        headers: Any = None,
        body: Any = None,
        idempotent: bool | None = None,
        deadline: Any = None,
        max_bytes: int | None = None,
    ) -> asyncio.Task[Any]:
        arguments = (method, url, headers, body, idempotent, deadline, max_bytes)
        return self._start(self._fetch(self._ready(*arguments)))

    def open_stream(self, *arguments: Any) -> asyncio.Task[Any]:
        flight = self._ready(*arguments, streamed=True)

        async def opened() -> _AsyncStream:
            await self._drive(flight, flight.run())
            return _AsyncStream(self, flight)

        return self._start(opened())

    def fetch_many(self, requests: Iterable[Any], limit: int = 64) -> asyncio.Task[Any]:
        orders = self._orders(requests)
        gate = asyncio.Semaphore(max(limit, 1))

        async def one(order: Order | BaseException) -> Any:
            if isinstance(order, BaseException):
                return order
            async with gate:
                try:
                    return await self._fetch(self._flight(order))
                except Exception as error:  # noqa: BLE001 - errors are values here
                    return error

        async def all_of_them() -> list[Any]:
            return list(await asyncio.gather(*map(one, orders)))

        return self._start(all_of_them())

    def close(self) -> None:
        self._engine.close()

    def _ready(self, *arguments: Any, streamed: bool = False) -> Flight:
        order = self._order(*arguments)
        order.streamed = streamed
        return self._flight(order)

    def _start(self, work: Any) -> asyncio.Task[Any]:
        try:
            running = asyncio.get_running_loop()
            if self._loop is None:
                self._loop = running
            if self._loop is not running:
                raise RuntimeError("the client belongs to another event loop")
        except RuntimeError:
            work.close()
            raise
        task = running.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _fetch(self, flight: Flight) -> Response:
        return Response(flight, await self._drive(flight, flight.run()))

    async def _drive(self, flight: Flight, steps: Steps) -> Any:
        """Run a generator to its end, awaiting what it waits for."""
        answer: Any = None
        error: Exception | None = None
        try:
            while True:
                wanted = steps.send(answer) if error is None else steps.throw(error)
                error = None
                try:
                    answer = await self._do(wanted)
                except TimeoutError:
                    error = Late()
                except (Late, StopAsyncIteration) as raised:
                    error = raised
                except Exception as raised:  # noqa: BLE001 - of the caller's own body
                    error = raised
                if self._engine.is_closed:
                    error = closed()
        except StopIteration as end:
            return end.value
        except Fault as fault:
            raise self._error(fault, flight.place) from None
        finally:
            steps.close()

    async def _do(self, wanted: Any) -> Any:
        if isinstance(wanted, Sleep):
            sleep = self._engine.options["sleep"]
            return await asyncio.sleep(wanted.seconds) if sleep is None else sleep(wanted.seconds)
        left = wanted.until - time.monotonic()
        async with asyncio.timeout(None if math.isinf(left) else left):
            if isinstance(wanted, Wait):
                return await self._wait(wanted)
            if isinstance(wanted, Enter):
                while not self._engine.enter():
                    await asyncio.sleep(_TICK / 4)
                return None
            if isinstance(wanted, Next):
                return await anext(wanted.pieces)
            return await asyncio.to_thread(_addresses, wanted.host, wanted.port)

    async def _wait(self, wanted: Wait) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        number = wanted.sock.fileno()
        if wanted.read:
            loop.add_reader(number, ready.set)
        if wanted.write:
            loop.add_writer(number, ready.set)
        try:
            while not ready.is_set() and not self._engine.is_closed:
                try:
                    async with asyncio.timeout(0.25):
                        await ready.wait()
                except TimeoutError:
                    continue
        finally:
            loop.remove_reader(number)
            loop.remove_writer(number)


class _AsyncStream:
    """A response whose body is read piece by piece."""

    def __init__(self, client: AsyncHttpClient, flight: Flight) -> None:
        self._client = client
        self._flight = flight

    def head(self) -> tuple[Any, ...]:
        return _head(self._flight)

    async def next_piece(self) -> bytes:
        flight = self._flight
        while not flight.is_over:
            piece: bytes = await self._client._drive(flight, flight.next_piece())
            if piece:
                return piece
        return b""

    def close(self) -> None:
        if not self._flight.is_over:
            self._flight.abandon()
