"""The errors of the HTTP client: one class a kind, the same from both implementations."""

from __future__ import annotations

from agentcore.errors import AgentCoreError, InputError

__all__ = [
    "KINDS",
    "CircuitOpenError",
    "ConnectError",
    "DeadlineError",
    "HttpClosedError",
    "HttpError",
    "HttpTimeoutError",
    "PoolTimeoutError",
    "ProtocolError",
    "ProxyError",
    "RedirectError",
    "ResponseTooLargeError",
    "TlsError",
    "make_error",
]


class HttpError(AgentCoreError):
    """Base of what can go wrong with a request that was acceptable.

    ``what`` says what happened, ``where`` is the method and address of the last hop.
    """

    code = "http"


class ConnectError(HttpError):
    """No connection could be made; nothing was sent."""

    code = "http_connect"


class TlsError(HttpError):
    """The certificate or the handshake is not acceptable."""

    code = "http_tls"


class HttpTimeoutError(HttpError):
    """A phase took longer than it may: connecting, sending, receiving."""

    code = "http_timeout"


class DeadlineError(HttpTimeoutError):
    """The whole call took longer than it may."""

    code = "http_deadline"


class PoolTimeoutError(HttpTimeoutError):
    """No connection became free in time."""

    code = "http_pool"


class ProtocolError(HttpError):
    """The other side broke the protocol, or the connection."""

    code = "http_protocol"


class ResponseTooLargeError(HttpError):
    """The response is larger than it may be."""

    code = "http_too_large"


class RedirectError(HttpError):
    """A redirect that is not followed: too many, to nowhere, or away from https."""

    code = "http_redirect"


class CircuitOpenError(HttpError):
    """The origin failed too often in a row and is left alone for a while."""

    code = "http_circuit"


class ProxyError(HttpError):
    """The proxy refused, or broke its protocol."""

    code = "http_proxy"


class HttpClosedError(HttpError):
    """The client was closed."""

    code = "http_closed"


KINDS: dict[str, type[AgentCoreError]] = {
    "input": InputError,
    "connect": ConnectError,
    "tls": TlsError,
    "timeout": HttpTimeoutError,
    "deadline": DeadlineError,
    "pool": PoolTimeoutError,
    "protocol": ProtocolError,
    "too_large": ResponseTooLargeError,
    "redirect": RedirectError,
    "circuit": CircuitOpenError,
    "proxy": ProxyError,
    "closed": HttpClosedError,
    "body": InputError,
}
"""The class of each kind that both implementations know."""


def make_error(kind: str, what: str, where: str) -> AgentCoreError:
    """Return the exception of a kind; the native module is lent this function."""
    return KINDS[kind](what, where)
