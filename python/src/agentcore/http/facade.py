"""FastHttpClient: what callers use; they can't tell which implementation answers.

The facade binds the implementation's ``get`` and ``request``, so a good call has no Python frame
of ours on its way. When native code panics, the bridge makes a twin with the same options, which
answers then and for the rest of this client's life; idle connections and cookies are not carried
over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self

from agentcore.errors import AgentCoreError, InputError
from agentcore.http.contract import (
    Body,
    Headers,
    HttpOptions,
    HttpRequest,
    OriginMetrics,
    Response,
)
from agentcore.http.errors import make_error
from agentcore.integration import (
    TRIPPED,
    Bridge,
    Implementation,
    RustIntegrationManager,
    default_manager,
)

__all__ = ["FastHttpClient", "StreamedResponse"]

COMPONENT = "agent_core_utils"
AGENT = "agentcore/0.1"


def _twin(kind: str, options: dict[str, Any]) -> Any:
    """Return a client of the twin, which is loaded when it is first needed."""
    from agentcore.http import twin

    return getattr(twin, kind)(options, make_error)


class Base:
    """What the blocking and the asyncio client have in common; ``kind`` names the class."""

    def __init__(
        self,
        kind: str,
        manager: RustIntegrationManager | None,
        options: dict[str, Any],
    ) -> None:
        try:
            flat = HttpOptions(**options).flat()
        except TypeError as error:
            unknown = sorted(set(options) - set(HttpOptions.__dataclass_fields__))
            if not unknown:
                raise
            known = ", ".join(HttpOptions.__dataclass_fields__)
            raise InputError("there is no such option", ", ".join(unknown), known) from error
        given = flat["headers"]
        pairs = list(given.items() if hasattr(given, "items") else given)
        own = {name.lower() for name, _ in pairs if isinstance(name, str)}
        defaults = {"user-agent": AGENT, "accept": "*/*", "accept-encoding": "identity"}
        flat["headers"] = [
            *(pair for pair in defaults.items() if pair[0] not in own),
            *pairs,
        ]
        manager = default_manager() if manager is None else manager
        self._bridge = Bridge(manager, COMPONENT, partial(_twin, kind, flat))
        native = manager.native(COMPONENT)
        self._core: Any
        if native is None:
            self._bridge.crossed = True
            self._core = _twin(kind, flat)
        else:
            self._core = getattr(native, kind)(flat, make_error, self._bridge)
            manager.on_trip(COMPONENT, self._on_trip)
        # Instance attributes shadow the documented methods: one frame less a call.
        for hot in ("get", "request"):
            setattr(self, hot, getattr(self._core, hot))

    @property
    def implementation(self) -> Implementation:
        """Who answers now: ``native`` or ``python``."""
        return self._bridge.implementation

    def metrics(self) -> dict[str, OriginMetrics]:
        """Return what happened at each origin (``scheme://host:port``) since this was made."""
        found: dict[str, tuple[str, tuple[int, ...]]] = self._core.metrics()
        return {name: OriginMetrics(breaker, *counts) for name, (breaker, counts) in found.items()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.implementation}>"

    def _on_trip(self) -> None:
        if not self._bridge.crossed:
            self._core.fall_back(TRIPPED)


class StreamedResponse:
    """A response whose body is read piece by piece; made by ``stream``.

    Attributes:
        status: 100 to 999.
        headers: pairs of name (lower case) and value.
        url: where it came from, after redirects.
        http_version: ``1.0``, ``1.1`` or ``2``.
        history: the addresses that led there by redirects.
        requests_sent: requests that it took.
    """

    def __init__(self, core: Any) -> None:
        self._core = core
        (self.status, self.headers, self.url, self.http_version, self.history,
         self.requests_sent) = core.head()  # fmt: skip

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces of the body as they come.

        Raises:
            HttpError: the body broke off, took too long, or is too large.
        """
        while piece := self._core.next_piece():
            yield piece

    def read(self) -> bytes:
        """Return the rest of the body."""
        return b"".join(self)

    def close(self) -> None:
        """Give the connection up if something is left on it."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FastHttpClient(Base):
    """A blocking HTTP client. Safe under threads; the interpreter is let go of while it waits.

    See :mod:`agentcore.http.contract` for what it promises, and
    :class:`agentcore.http.contract.HttpOptions` for the options, all of them keywords.

    Args:
        manager: who chooses the implementation; the process's manager if not given.
        options: the fields of ``HttpOptions``.

    Raises:
        InputError: an option is not acceptable.
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(self, *, manager: RustIntegrationManager | None = None, **options: Any) -> None:
        super().__init__("HttpClient", manager, options)

    def get(
        self, url: str, headers: Headers | None = None, deadline: float | None = None
    ) -> Response:
        """Fetch ``url``; see :meth:`request`."""
        response: Response = self._core.get(url, headers, deadline)
        return response

    def request(
        self,
        method: str,
        url: str,
        headers: Headers | None = None,
        body: Body | None = None,
        idempotent: bool | None = None,
        deadline: float | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Send a request and return the response, whatever its status.

        Args:
            method: upper-case letters.
            url: where to.
            headers: fields beside the client's.
            body: bytes, text, or an iterable of bytes.
            idempotent: whether sending it twice does no harm; by the method if not given.
            deadline: seconds for the whole call.
            max_bytes: the largest body of the response.

        Raises:
            InputError: something given is not acceptable; nothing was sent.
            HttpError: there is no response, by one of its classes.
            TypeError: an argument is of the wrong type.
        """
        response: Response = self._core.request(
            method, url, headers, body, idempotent, deadline, max_bytes
        )
        return response

    def head(self, url: str, **more: Any) -> Response:
        """Send HEAD; see :meth:`request`."""
        return self.request("HEAD", url, **more)

    def delete(self, url: str, **more: Any) -> Response:
        """Send DELETE; see :meth:`request`."""
        return self.request("DELETE", url, **more)

    def post(self, url: str, body: Body | None = None, **more: Any) -> Response:
        """Send POST; see :meth:`request`."""
        return self.request("POST", url, body=body, **more)

    def put(self, url: str, body: Body | None = None, **more: Any) -> Response:
        """Send PUT; see :meth:`request`."""
        return self.request("PUT", url, body=body, **more)

    def patch(self, url: str, body: Body | None = None, **more: Any) -> Response:
        """Send PATCH; see :meth:`request`."""
        return self.request("PATCH", url, body=body, **more)

    def stream(
        self,
        method: str,
        url: str,
        headers: Headers | None = None,
        body: Body | None = None,
        idempotent: bool | None = None,
        deadline: float | None = None,
        max_bytes: int | None = None,
    ) -> StreamedResponse:
        """Send a request; return the response as soon as its head is there.

        Use it as a context manager: what is left unread gives its connection up. Nothing is
        retried once the head is there. Raises as :meth:`request` does.
        """
        core = self._core.open_stream(method, url, headers, body, idempotent, deadline, max_bytes)
        return StreamedResponse(core)

    def fetch_many(
        self, requests: Iterable[str | HttpRequest], limit: int = 64
    ) -> list[Response | AgentCoreError]:
        """Fetch all, at most ``limit`` at once; results in order, errors as values among them.

        Raises:
            TypeError: one of them is neither a URL nor an ``HttpRequest``.
            InputError: ``limit`` is not above 0.
        """
        found: list[Response | AgentCoreError] = self._core.fetch_many(
            requests, checked_limit(limit)
        )
        return found

    def close(self) -> None:
        """Close idle connections; requests under way fail, and later ones are refused."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def checked_limit(limit: int) -> int:
    """Return how many may be under way at once.

    Raises:
        InputError: it is no such number.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit < 2**31:
        raise InputError(f"{limit!r} is not acceptable", "limit", "a whole number from 1")
    return limit
