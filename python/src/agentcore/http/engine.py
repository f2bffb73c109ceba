"""The twin's request machine: one request as a generator that yields what it waits for.

What the requests of a client share stands in :class:`Engine`; :class:`Flight` is one request on
its way. What to do about an answer or a failure is decided by :mod:`agentcore.http.course`.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import random
import socket
import ssl
import threading
import time
from typing import Any

from agentcore.http.cookies import Jar
from agentcore.http.course import Book, Course, Rules, Wish
from agentcore.http.exchange import Exchange
from agentcore.http.fault import Fault, seconds
from agentcore.http.link import Enter, Find, Late, Link, Sleep, Steps, Wait, shake
from agentcore.http.message import Head, parse_head
from agentcore.http.order import Order, checked_fields
from agentcore.http.url import Url, parse_url

__all__ = ["Engine", "Flight", "closed"]

_MAX_ORIGINS = 4096


def closed() -> Fault:
    """Return that the client is closed."""
    return Fault("closed", "the client is closed")


class _Final(Exception):  # noqa: N818 - never leaves this module
    """A failure that no course decides about."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class Origin:
    """An origin: its book and its idle connections, the latest used last."""

    def __init__(self, name: str, book: Book) -> None:
        self.name = name
        self.book = book
        self.idle: list[Link] = []


class Engine:
    """What the requests of one client share. Safe under threads."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.rules = Rules(*(options[name] for name in Rules._fields))
        self.proxy = None if options["proxy"] is None else parse_url(options["proxy"])
        self.fields = checked_fields(options["headers"])
        self.jar = Jar() if options["cookies"] else None
        self.clock = options["clock"] or time.monotonic
        self.wall = options["wall_clock"] or time.time
        self.random = options["random"] or random.random
        self.lock = threading.RLock()
        self.busy = 0
        self.is_closed = False
        self._origins: dict[str, Origin] = {}
        self._context: ssl.SSLContext | None = None

    def origin(self, url: Url) -> Origin:
        """Return the origin of an address."""
        with self.lock:
            if url.origin not in self._origins:
                if len(self._origins) >= _MAX_ORIGINS:
                    self._origins.clear()
                self._origins[url.origin] = Origin(url.origin, Book(self.rules, self.clock()))
            return self._origins[url.origin]

    def metrics(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return each origin's breaker and counts, by name."""
        now = self.clock()
        with self.lock:
            return {
                name: (origin.book.breaker(now), origin.book.counts.numbers())
                for name, origin in sorted(self._origins.items())
            }

    def take(self, origin: Origin) -> Link | None:
        """Return an idle connection that still is one; the latest used first."""
        while True:
            with self.lock:
                if not origin.idle:
                    return None
                link = origin.idle.pop()
            fresh = time.monotonic() - link.idle_since <= self.options["idle_seconds"]
            if fresh and link.is_usable():
                return link
            link.close()

    def keep(self, origin: Origin, link: Link) -> None:
        """Keep a connection for later, if there is room."""
        link.used = True
        link.idle_since = time.monotonic()
        with self.lock:
            if not self.is_closed and len(origin.idle) < self.options["max_idle"]:
                origin.idle.append(link)
                return
        link.close()

    def enter(self) -> bool:
        """Take a place among the requests under way; False when there is none."""
        with self.lock:
            if self.busy >= self.options["max_connections"]:
                return False
            self.busy += 1
            return True

    def leave(self) -> None:
        """Give the place back."""
        with self.lock:
            self.busy -= 1

    def close(self) -> None:
        """Refuse further requests and close what is idle."""
        with self.lock:
            self.is_closed = True
            for origin in self._origins.values():
                while origin.idle:
                    origin.idle.pop().close()

    def context(self) -> ssl.SSLContext:
        """Return the TLS settings; certificates are read when first needed.

        Raises:
            Fault: of kind ``tls``: the file of certificates can't be used.
        """
        with self.lock:
            if self._context is None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                file = self.options["ca_file"]
                if file is None:
                    context.load_default_certs()
                else:
                    try:
                        context.load_verify_locations(cafile=file)
                    except OSError:
                        text = f"'{file}' holds no certificate that can be trusted"
                        raise Fault("tls", text) from None
                offered = ["h2", "http/1.1"] if self.options["http2"] else ["http/1.1"]
                context.set_alpn_protocols(offered)
                self._context = context
            return self._context


class Flight:
    """One request on its way. ``run`` leads to the response, ``next_piece`` through a stream."""

    def __init__(self, engine: Engine, order: Order) -> None:
        if engine.is_closed:
            raise closed()
        self._engine = engine
        self._order = order
        wish = Wish(
            order.method, order.url, order.fields, order.body is not None,
            order.body is None or isinstance(order.body, bytes), order.idempotent, order.within,
        )  # fmt: skip
        self.course = Course(wish, engine.clock())
        self._origin = engine.origin(order.url)
        self._last = time.monotonic() + order.within
        self._link: Link | None = None
        self._exchange: Any = None
        self._placed = False
        self._fresh = False
        self.is_over = False
        self.head: Head | None = None

    @property
    def place(self) -> str:
        """The method and address of the present hop."""
        return f"{self.course.method} {self.course.url}"

    def run(self) -> Steps:
        """Drive the request; return its body. A streamed one is driven to its head.

        Raises:
            Fault: what went wrong.
        """
        engine, course = self._engine, self.course
        try:
            while True:
                if engine.is_closed:
                    raise closed()
                with engine.lock:
                    step = course.begin(engine.rules, self._origin.book, engine.clock())
                if step.what == "wait":
                    yield Sleep(step.seconds)
                    continue
                if step.fault is not None:
                    raise step.fault
                body = b""
                try:
                    yield from self._attempt()
                    if not self._order.streamed:
                        body = yield from self._whole()
                except Fault as fault:
                    if fault.kind == "closed":
                        raise
                    step = self._failed(fault)
                else:
                    step = self._answered()
                if step.fault is not None:
                    raise step.fault
                if step.what == "done":
                    if not self._order.streamed:
                        self.is_over = True
                    return body
                if step.what == "wait":
                    yield Sleep(step.seconds)
        except _Final as final:
            raise final.fault from None
        finally:
            if self.head is None or not self._order.streamed:
                self.abandon()

    def next_piece(self) -> Steps:
        """Return the next piece of a streamed body; empty at the end.

        Raises:
            Fault: what went wrong.
        """
        if self.is_over:
            return b""
        try:
            done = yield from self._exchange.pieces(self._link)
        except (Fault, Late) as failure:
            with self._engine.lock:
                self._origin.book.counts.failures += 1
            fault = failure if isinstance(failure, Fault) else self._late("read")
            self.abandon()
            raise fault from None
        piece = bytes(self._exchange.data)
        self._exchange.data.clear()
        with self._engine.lock:
            self._origin.book.counts.received += len(piece)
        if done:
            self._release(reusable=self._exchange.is_reusable)
            self.is_over = True
        return piece

    def abandon(self) -> None:
        """Give everything back."""
        self._release(reusable=False)
        with self._engine.lock:
            self.course.abandon(self._origin.book)
        self.is_over = True

    def _until(self, phase: str) -> float:
        whole: float = min(time.monotonic() + self._engine.options[f"{phase}_timeout"], self._last)
        return whole

    def _late(self, phase: str) -> Fault:
        """Return what it means that the time of a phase is up."""
        if time.monotonic() >= self._last:
            return self.course.late()
        within = seconds(self._engine.options[f"{phase}_timeout"])
        texts = {
            "connect": ("timeout", f"no connection within {within} s"),
            "read": ("timeout", f"nothing was received for {within} s"),
            "write": ("timeout", f"nothing could be sent for {within} s"),
            "pool": ("pool", f"no connection became free within {within} s"),
        }
        return Fault(*texts[phase])

    def _attempt(self) -> Steps:
        """Send the request once; read the head of its answer."""
        engine = self._engine
        self._exchange = self.head = None
        if not engine.enter():
            try:
                yield Enter(self._until("pool"))
            except Late:
                raise _Final(self._late("pool")) from None
        self._placed = True
        link = None if self._fresh else engine.take(self._origin)
        if link is None:
            try:
                link = yield from self._dial(self._until("connect"))
            except Late:
                raise self._late("connect") from None
            with engine.lock:
                self._origin.book.counts.opened += 1
        else:
            with engine.lock:
                self._origin.book.counts.reused += 1
        self._link = link
        self._exchange = exchange = self._made_exchange(link)
        try:
            yield from exchange.run(link)
        except Late:
            raise self._late("read" if exchange.sent else "write") from None
        self.head = exchange.head

    def _whole(self) -> Steps:
        """Read the whole body."""
        exchange = self._exchange
        try:
            while not (yield from exchange.pieces(self._link)):
                pass
        except Late:
            raise self._late("read") from None
        with self._engine.lock:
            self._origin.book.counts.received += len(exchange.data)
        return bytes(exchange.data)

    def _made_exchange(self, link: Link) -> Any:
        engine, course = self._engine, self.course
        own = {name for name, _ in course.fields}
        fields = [pair for pair in engine.fields if pair[0] not in own]
        fields += course.fields
        if engine.jar is not None and "cookie" not in own:
            with engine.lock:
                cookies = engine.jar.field(course.url, engine.clock())
            if cookies is not None:
                fields.append(("cookie", cookies))
        proxied = engine.proxy is not None and course.url.scheme == "http"
        authorization = engine.options["proxy_authorization"]
        if proxied and authorization is not None:
            fields.append(("proxy-authorization", authorization))
        body = self._order.body if course.has_body else None
        request = course.method, course.url, fields
        kind = Exchange if link.h2 is None else link.h2.exchange
        return kind(request, body, self._order.max_body, self._until, absolute=proxied)

    def _answered(self) -> Any:
        engine = self._engine
        self._fresh = False
        assert self.head is not None  # noqa: S101 - the attempt ended well
        with engine.lock:
            step = self.course.answered(
                engine.rules, self._origin.book, engine.jar, self.head,
                (engine.clock(), engine.wall()), engine.random,
            )  # fmt: skip
        if not self._order.streamed:
            self._release(reusable=self._exchange.is_reusable)
        elif step.what != "done":
            self._release(reusable=False)
        if step.what == "again":
            self._origin = engine.origin(self.course.url)
        return step

    def _failed(self, fault: Fault) -> Any:
        engine, exchange = self._engine, self._exchange
        sent = exchange is not None and exchange.begun
        used = self._link is not None and self._link.used
        stale = bool(
            exchange is not None
            and used
            and not self._fresh
            and fault.kind == "protocol"
            and not exchange.heard
        )
        self._release(reusable=False)
        self._fresh = stale
        self.head = None
        with engine.lock:
            return self.course.failed(
                engine.rules, self._origin.book, fault, (sent, stale), engine.clock(), engine.random
            )

    def _release(self, *, reusable: bool) -> None:
        link, self._link = self._link, None
        if link is not None:
            if reusable:
                self._engine.keep(self._origin, link)
            else:
                link.close()
        if self._placed:
            self._placed = False
            self._engine.leave()

    def _dial(self, until: float) -> Steps:
        """Return a connection to the origin of the present hop."""
        engine, target = self._engine, self.course.url
        peer = engine.proxy or target
        host = peer.host.strip("[]")
        try:
            addresses = [str(ipaddress.ip_address(host))]
        except ValueError:
            addresses = yield Find(host, peer.port, until)
            if not addresses:
                text = f"the address of '{host}' can not be found"
                raise Fault("connect", text) from None
        reason = "no address"
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            try:
                code = sock.connect_ex((address, peer.port))
                if code in (errno.EINPROGRESS, errno.EAGAIN):
                    yield Wait(sock, read=False, write=True, until=until)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    reason = os.strerror(code)
                    sock.close()
                    continue
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                link = Link(sock)
                if target.scheme == "https":
                    if engine.proxy is not None:
                        yield from self._tunnel(link, until)
                    link.secure(engine.context(), target.host)
                    sock = link.sock
                    yield from shake(link, target.host, until)
                    self._agree(link)
            except BaseException:
                sock.close()
                raise
            return link
        place = f"{peer.host}:{peer.port}"
        raise Fault("connect", f"no connection to {place}: {reason}")

    def _agree(self, link: Link) -> None:
        """Prepare for the protocol that the handshake agreed upon."""
        if isinstance(link.sock, ssl.SSLSocket) and link.sock.selected_alpn_protocol() == "h2":
            from agentcore.http.h2link import H2  # late: few servers of a test or a host speak it

            link.h2 = H2()

    def _tunnel(self, link: Link, until: float) -> Steps:
        """Ask the proxy for a tunnel to the target."""
        target = self.course.url
        place = f"{target.host}:{target.port}"
        ask = f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n".encode()
        authorization = self._engine.options["proxy_authorization"]
        if authorization is not None:
            ask += b"proxy-authorization: " + authorization + b"\r\n"
        ask += b"\r\n"
        broken = Fault("proxy", "the proxy closed the connection")
        try:
            while ask:
                count = link.write(ask)
                ask = ask[count:]
                if not count:
                    yield Wait(link.sock, read=False, write=True, until=until)
            while (parsed := parse_head(link.ahead)) is None:
                data = link.read()
                if data is None:
                    yield Wait(link.sock, read=True, write=False, until=until)
                elif not data:
                    raise broken
                else:
                    link.ahead += data
        except OSError:
            raise broken from None
        head, length = parsed
        if not 200 <= head.status < 300:
            raise Fault("proxy", f"the proxy answered CONNECT with {head.status}")
        del link.ahead[:length]
        if link.ahead:
            raise Fault("proxy", "the proxy sent something before the tunnel was used")
