"""The engine of the twin's TCP connect scan: the states of the native one, with one selector.

What failed on our side (no sockets left, no route, no source address) is ``local_error`` and
never taken for ``closed``. An open port is connected to once.
"""

from __future__ import annotations

import errno
import heapq
import resource
import selectors
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass, replace

from agentcore.security.host.listeners import address_text
from agentcore.security.scope import Address

_FIRST_WINDOW = 32
_LEAST_WAIT = 0.25
_SPARE_FILES = 64
_BATCH = 256
_SELF_CONNECTS = 5
_SHORTAGES = 20
_SHORTAGE_PAUSE = 0.01
_WAITING = (errno.EINPROGRESS, errno.EALREADY)
_SHORT_OF = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN)
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM)
_NAMED = (
    *_SHORT_OF,
    *_UNREACHABLE,
    errno.EINVAL,
    errno.EAFNOSUPPORT,
    errno.EADDRINUSE,
    errno.EADDRNOTAVAIL,
    errno.ENETDOWN,
    errno.ECONNABORTED,
)
_RESET = struct.pack("ii", 1, 0)
Answer = tuple[str, str]
"""A state and its reason."""


def _name(code: int) -> str:
    return errno.errorcode[code] if code in _NAMED else "other_error"


def from_network(code: int) -> Answer:
    """What an error means that came after the probe was sent."""
    if code == errno.ECONNREFUSED:
        return "closed", "refused"
    if code == errno.ECONNRESET:
        return "closed", "reset"
    if code == errno.ETIMEDOUT:
        return "filtered", "no_answer"
    return ("filtered" if code in _UNREACHABLE else "local_error"), _name(code)


def from_system(code: int) -> Answer:
    """What an error of ``socket`` or ``connect`` itself means, before anything was sent."""
    return ("closed", "refused") if code == errno.ECONNREFUSED else ("local_error", _name(code))


@dataclass(frozen=True, slots=True)
class _Job:
    host: int
    port: int
    tries: int = 0
    selves: int = 0


@dataclass(slots=True)
class _Flight:
    job: _Job
    socket: socket.socket
    sent: float


class Engine:
    """Scans all ports of all addresses. Ports are the outer loop, so hosts share the load."""

    def __init__(
        self, addresses: list[Address], ports: list[int], *, timeout: float, tries: int, most: int
    ) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = 1 << 20 if soft == resource.RLIM_INFINITY else soft
        self._most = min(most, max(limit - _SPARE_FILES, 1))
        self._window = min(_FIRST_WINDOW, self._most)
        self._addresses = [address_text(address) for address in addresses]
        self._families = [
            socket.AF_INET if address.version == 4 else socket.AF_INET6 for address in addresses
        ]
        self._timeout, self._tries = timeout, tries
        self._fresh = (_Job(host, port) for port in ports for host in range(len(addresses)))
        self._again: deque[_Job] = deque()
        self._held: _Job | None = None
        self._more = True
        self._rtt: list[tuple[float, float] | None] = [None] * len(addresses)
        self._flights: dict[int, _Flight] = {}
        self._expiry: list[tuple[float, int, int, _Job]] = []
        self._turn = 0
        self._shortages = 0
        self.answers: dict[tuple[int, int], Answer] = {}

    def run(self, deadline: float) -> None:
        """Fill `answers` until all is known or ``deadline`` (monotonic seconds) has come."""
        with selectors.DefaultSelector() as self._selector:
            try:
                self._drive(deadline)
            finally:
                for flight in self._flights.values():
                    flight.socket.close()

    def _drive(self, deadline: float) -> None:
        while (now := time.monotonic()) < deadline:
            self._send(deadline)
            if self._flights:
                next_expiry = self._expiry[0][0] if self._expiry else deadline
                self._wait(max(0.0, min(next_expiry, deadline) - now))
                self._expire()
            elif not self._more and self._held is None and not self._again:
                return

    def _next(self) -> _Job | None:
        """What a shortage held back, then what is fresh, then what was silent."""
        job, self._held = self._held, None
        if job is None and self._more:
            job = next(self._fresh, None)
            self._more = job is not None
        if job is None and self._again:
            job = self._again.popleft()
        return job

    def _send(self, deadline: float) -> None:
        sent = 0
        while len(self._flights) < self._window and (job := self._next()) is not None:
            if not self._probe(job):
                return
            sent += 1
            if sent % _BATCH == 0 and (self._flights or time.monotonic() >= deadline):
                return

    def _probe(self, job: _Job) -> bool:
        """Send one probe; false if the system is short of something and we must wait."""
        sent = time.monotonic()
        place = (self._addresses[job.host], job.port)
        try:
            probe = socket.socket(self._families[job.host], socket.SOCK_STREAM)
        except OSError as error:
            return self._refused_here(job, error.errno or errno.EIO)
        probe.setblocking(False)
        code = probe.connect_ex(place)
        if code == errno.EINPROGRESS:
            # Asked at once: a near host has answered already.
            code = probe.connect_ex(place)
            if code in _WAITING:
                self._await(job, probe, sent)
                return True
            self._settled(job, probe, code, sent)
        elif code == 0:
            self._settled(job, probe, 0, sent)
        else:
            probe.close()
            return self._refused_here(job, code)
        self._shortages = 0
        return True

    def _refused_here(self, job: _Job, code: int) -> bool:
        flying = len(self._flights)
        if code in _SHORT_OF and (flying or self._shortages < _SHORTAGES):
            self._window = max(flying // 2, 1)
            self._most = min(self._most, max(flying, 1))
            self._held = job
            if not flying:
                self._shortages += 1
                time.sleep(_SHORTAGE_PAUSE)
            return False
        self.answers[job.host, job.port] = from_system(code)
        return True

    def _await(self, job: _Job, probe: socket.socket, sent: float) -> None:
        self._selector.register(probe, selectors.EVENT_WRITE)
        self._flights[probe.fileno()] = _Flight(job, probe, sent)
        wait = self._timeout
        rtt = self._rtt[job.host]
        if rtt is not None and job.tries == 0:
            wait = min(max(rtt[0] + 4 * rtt[1], _LEAST_WAIT), wait)
        # Stamped after connect: the time this took is not the host's.
        self._turn += 1
        heapq.heappush(self._expiry, (time.monotonic() + wait, self._turn, probe.fileno(), job))

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            flight = self._land(key.fd)
            code = flight.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._settled(flight.job, flight.socket, code, flight.sent)

    def _land(self, fd: int) -> _Flight:
        flight = self._flights.pop(fd)
        self._selector.unregister(flight.socket)
        return flight

    def _expire(self) -> None:
        """Time is up for some: ask each once more, then try again or take it for filtered."""
        now = time.monotonic()
        while self._expiry and self._expiry[0][0] <= now:
            _, _, fd, job = heapq.heappop(self._expiry)
            flight = self._flights.get(fd)
            if flight is None or flight.job is not job:
                continue
            self._land(fd)
            code = flight.socket.connect_ex((self._addresses[job.host], job.port))
            if code in _WAITING:
                flight.socket.close()
                self._silent(job)
            else:
                code = 0 if code == errno.EISCONN else code
                self._settled(job, flight.socket, code, flight.sent)

    def _silent(self, job: _Job) -> None:
        self._window = min(self._window + 1, self._most)
        if job.tries + 1 < self._tries:
            self._again.append(replace(job, tries=job.tries + 1))
        else:
            self.answers[job.host, job.port] = ("filtered", "no_answer")

    def _settled(self, job: _Job, probe: socket.socket, code: int, sent: float) -> None:
        place = (self._addresses[job.host], job.port)
        with probe:
            if code in (0, errno.EISCONN):
                if probe.getsockname()[:2] == place:  # connected to ourselves, on loopback
                    self._met_self(job)
                    return
                # Reset instead of a long goodbye: no TIME_WAIT on either side.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                answer = ("open", "accepted")
            else:
                answer = from_network(code)
        sample = time.monotonic() - sent
        known = self._rtt[job.host]
        if known is None:
            self._rtt[job.host] = (sample, sample / 2)
        else:
            mean, spread = known
            off = abs(sample - mean)
            self._rtt[job.host] = ((mean * 7 + sample) / 8, (spread * 3 + off) / 4)
        self.answers[job.host, job.port] = answer

    def _met_self(self, job: _Job) -> None:
        if job.selves < _SELF_CONNECTS:
            self._again.append(replace(job, selves=job.selves + 1))
        else:
            self.answers[job.host, job.port] = ("closed", "self_connect")
