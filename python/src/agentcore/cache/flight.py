"""Loads that run once: whoever asks for a key that is being loaded waits for that load.

Threads and tasks of any event loop share the loads of one cache. Who comes first runs
the loader: a thread in its own call, a task in a task of the loader's own, so that a
caller that is cancelled harms nobody. All get the value, or the exception, which is
not kept. Who waits does so for ``timeout`` seconds at most.

A loader may ask the cache for other keys. Where that would close a ring of loads that
wait for each other, the one that would close it is run unshared instead. A loader that
asks for its own key gets a ``RuntimeError``: it could never be answered.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Any

__all__ = ["MISSING", "Flights"]

MISSING: Any = object()
"""Stands for a value that is not there."""


class _Flight:
    """One load under way: its outcome, and who runs the loader."""

    __slots__ = ("future", "loop", "owner")

    def __init__(self, owner: object, loop: Any) -> None:
        self.owner, self.loop = owner, loop
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()  # from now on nobody can cancel it

    def is_lost(self) -> bool:
        """Tell whether its event loop ended before it did."""
        return self.loop is not None and self.loop.is_closed()


class Flights:
    """The loads of one cache.

    Args:
        timeout: seconds that somebody waits for the load of somebody else.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.loads = self.failures = 0
        self._lock = threading.RLock()  # a key's __eq__ may come back here
        self._open: dict[Hashable, _Flight] = {}
        self._waiting: dict[object, _Flight] = {}

    def load(self, key: Hashable, find: Callable[[], Any], run: Callable[[], Any]) -> Any:
        """Return what ``run`` returns, or what another load of ``key`` does.

        Args:
            key: what is loaded.
            find: looks once more, and returns ``MISSING`` if there is still nothing.
            run: loads, stores and returns the value.

        Raises:
            RuntimeError: the loader asks for its own key, or would block its event loop.
            TimeoutError: the other load takes too long.
        """
        me, loop = _caller()
        with self._lock:
            flight = self._known(key)
            if flight is None:
                mine = self._open[key] = _Flight(me, None)
            elif loop is not None and flight.loop is loop:
                self._refuse_own(key, me, flight)
                raise RuntimeError(
                    f"get_or_load would wait for the load of {key!r} on this thread's own "
                    "event loop; use aget_or_load"
                )
            elif not self._join(key, me, flight):
                flight = None
                mine = None
        if flight is None:
            return self._run(find, run) if mine is None else self._fly(key, mine, find, run)
        try:
            return flight.future.result(self.timeout)
        except TimeoutError:
            self._give_up(key, flight)
            raise
        finally:
            self._leave(me)

    async def aload(
        self, key: Hashable, find: Callable[[], Any], run: Callable[[], Awaitable[Any]]
    ) -> Any:
        """Do as :meth:`load` does, for a task."""
        import asyncio  # late: costs more than the rest of the package

        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        timeout: float | None = self.timeout
        with self._lock:
            flight = self._known(key)
            if flight is None:
                timeout = None  # it is its own load
                flight = self._open[key] = _Flight(None, loop)
                flight.owner = loop.create_task(self._afly(key, flight, find, run))
                self._waiting[me] = flight
            elif not self._join(key, me, flight):
                flight = None
        if flight is None:
            return await self._arun(find, run)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(flight.future), timeout)
        except TimeoutError:
            self._give_up(key, flight)
            raise
        finally:
            self._leave(me)

    def _known(self, key: Hashable) -> _Flight | None:
        flight = self._open.get(key)
        return None if flight is None or flight.is_lost() else flight

    def _refuse_own(self, key: Hashable, me: object, flight: _Flight) -> None:
        if flight.owner is me or flight.owner == me:
            raise RuntimeError(f"the loader of {key!r} asks for {key!r} itself")

    def _join(self, key: Hashable, me: object, flight: _Flight) -> bool:
        """Note that ``me`` waits for ``flight``; False if that would close a ring."""
        self._refuse_own(key, me, flight)
        behind: _Flight | None = flight
        for _ in range(len(self._waiting) + 1):
            behind = None if behind is None else self._waiting.get(behind.owner)
            if behind is not None and behind.owner == me:
                return False
        self._waiting[me] = flight
        return True

    def _leave(self, me: object) -> None:
        with self._lock:
            self._waiting.pop(me, None)

    def _give_up(self, key: Hashable, flight: _Flight) -> None:
        if not flight.future.done():
            raise TimeoutError(f"another load of {key!r} took more than {self.timeout} s") from None

    def _run(self, find: Callable[[], Any], run: Callable[[], Any]) -> Any:
        value = find()
        if value is not MISSING:
            return value
        with self._lock:
            self.loads += 1
        return run()

    async def _arun(self, find: Callable[[], Any], run: Callable[[], Awaitable[Any]]) -> Any:
        value = find()
        if value is not MISSING:
            return value
        with self._lock:
            self.loads += 1
        return await run()

    def _fly(
        self, key: Hashable, flight: _Flight, find: Callable[[], Any], run: Callable[[], Any]
    ) -> Any:
        try:
            value = self._run(find, run)
        except BaseException as error:
            self._land(key, flight, None, error)
            raise
        self._land(key, flight, value, None)
        return value

    async def _afly(
        self,
        key: Hashable,
        flight: _Flight,
        find: Callable[[], Any],
        run: Callable[[], Awaitable[Any]],
    ) -> None:
        try:
            value = await self._arun(find, run)
        except Exception as error:  # noqa: BLE001 - told to all who wait
            self._land(key, flight, None, error)
        except BaseException as error:
            self._land(key, flight, None, error)
            raise
        else:
            self._land(key, flight, value, None)

    def _land(
        self, key: Hashable, flight: _Flight, value: Any, error: BaseException | None
    ) -> None:
        """Take the flight off and tell the outcome."""
        try:
            with self._lock:
                self.failures += error is not None
                if self._open.get(key) is flight:
                    del self._open[key]
        finally:
            if error is None:
                flight.future.set_result(value)
            elif isinstance(error, Exception):
                flight.future.set_exception(error)
            else:  # an interrupt is meant for who runs the loader, not for who waits
                kind = type(error).__name__
                lost = RuntimeError(f"the load of {key!r} was interrupted by {kind}")
                flight.future.set_exception(lost)


def _caller() -> tuple[object, Any]:
    """Return who calls - the task, else the thread - and the event loop of this thread."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            return asyncio.current_task() or threading.get_ident(), loop
    return threading.get_ident(), None
