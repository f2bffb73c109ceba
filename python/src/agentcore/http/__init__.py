"""An HTTP client for threads and for asyncio, native where it can be."""

from __future__ import annotations

from agentcore.http.aio import AsyncFastHttpClient, AsyncStreamedResponse
from agentcore.http.contract import (
    HttpOptions,
    HttpRequest,
    OriginMetrics,
    Response,
    Retries,
    Timeouts,
)
from agentcore.http.errors import (
    CircuitOpenError,
    ConnectError,
    DeadlineError,
    HttpClosedError,
    HttpError,
    HttpTimeoutError,
    PoolTimeoutError,
    ProtocolError,
    ProxyError,
    RedirectError,
    ResponseTooLargeError,
    TlsError,
)
from agentcore.http.facade import FastHttpClient, StreamedResponse

__all__ = [
    "AsyncFastHttpClient",
    "AsyncStreamedResponse",
    "CircuitOpenError",
    "ConnectError",
    "DeadlineError",
    "FastHttpClient",
    "HttpClosedError",
    "HttpError",
    "HttpOptions",
    "HttpRequest",
    "HttpTimeoutError",
    "OriginMetrics",
    "PoolTimeoutError",
    "ProtocolError",
    "ProxyError",
    "RedirectError",
    "Response",
    "ResponseTooLargeError",
    "Retries",
    "StreamedResponse",
    "Timeouts",
    "TlsError",
]
