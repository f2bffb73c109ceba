"""FastHttpClient beside pycurl, wreq, pyreqwest and aiohttp, against nginx on loopback.

nginx is started on a free port when the cases are made and stopped when this process ends. One
measurement is a burst of requests; the value is requests a second.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agentcore.http import AsyncFastHttpClient, FastHttpClient, Retries
from benchmarks.harness import Bar, Case, Contender, Subject, installed
from benchmarks.native import OURS_VERSION, native_manager, twin_manager

NAMES = ("pycurl", "wreq", "pyreqwest", "aiohttp", "uvloop")
VERSIONS = {name: installed(name) for name in NAMES}
ONE_BY_ONE = 1500
AT_ONCE = 64
MANY = 3000
BODY = 200
_CONFIG = """
worker_processes 1; daemon off; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path t; proxy_temp_path t;
  fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  server {{ listen 127.0.0.1:{plain}; location / {{ return 200 "{body}"; }} }}
  server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate server.pem; ssl_certificate_key server.key;
            location / {{ return 200 "{body}"; }} }}
}}
"""


class _Nginx:
    """nginx in a folder of its own, with a certificate of its own authority."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="agentcore-bench-"))
        self.ca = str(self._folder / "ca.pem")
        self._certificates()
        ports = {"plain": _free_port(), "tls": _free_port()}
        config = self._folder / "nginx.conf"
        config.write_text(_CONFIG.format(body="x" * BODY, **ports))
        self.url = f"http://127.0.0.1:{ports['plain']}/"
        self.tls_url = f"https://127.0.0.1:{ports['tls']}/"
        command = ["nginx", "-p", str(self._folder), "-c", str(config), "-e", "stderr"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        atexit.register(self.stop)
        for port in ports.values():
            _await_port(port)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _certificates(self) -> None:
        def run(*arguments: str) -> None:
            command = ["openssl", *arguments]
            subprocess.run(command, cwd=self._folder, check=True, capture_output=True)

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=bench ca",
            "-days", "2")  # fmt: skip
        run("req", "-new", *key, "-keyout", "server.key", "-out", "s.csr", "-subj", "/CN=bench")
        (self._folder / "ext").write_text("subjectAltName=IP:127.0.0.1")
        run("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", "ext", "-days", "2", "-out", "server.pem")  # fmt: skip


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _await_port(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _rate(work: Callable[[], object], requests: int) -> float:
    begun = time.perf_counter()
    work()
    return requests / (time.perf_counter() - begun)


def _loop(get: Callable[[], object], count: int = ONE_BY_ONE) -> Callable[[], float]:
    def work() -> None:
        for _ in range(count):
            get()

    return lambda: _rate(work, count)


def _threads(make: Callable[[], Callable[[], object]]) -> Callable[[], float]:
    """Sixty-four threads, each with the getter that ``make`` gives it."""
    each = MANY // AT_ONCE

    def measure() -> float:
        ready = threading.Barrier(AT_ONCE + 1)
        done = threading.Barrier(AT_ONCE + 1)

        def work() -> None:
            get = make()
            get()
            ready.wait()
            for _ in range(each):
                get()
            done.wait()

        threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        ready.wait()
        value = _rate(done.wait, each * AT_ONCE)
        for thread in threads:
            thread.join()
        return value

    return measure


def _gathered(
    opened: Callable[[], Any], get: Callable[[Any], Awaitable[object]], *, uvloop: bool
) -> Callable[[], float]:
    """Sixty-four in flight in one loop; ``opened`` gives the client in it."""

    async def whole() -> float:
        async with opened() as client:

            async def one(count: int) -> None:
                for _ in range(count):
                    await get(client)

            await asyncio.gather(*[one(2) for _ in range(AT_ONCE)])
            begun = time.perf_counter()
            await asyncio.gather(*[one(MANY // AT_ONCE) for _ in range(AT_ONCE)])
            return MANY // AT_ONCE * AT_ONCE / (time.perf_counter() - begun)

    return lambda: _in_loop(whole, uvloop=uvloop)


def _in_loop(whole: Callable[[], Any], *, uvloop: bool) -> float:
    factory = None
    if uvloop:
        import uvloop as faster

        factory = faster.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        value: float = runner.run(whole())
        return value


def _curl(url: str, ca: str) -> Callable[[], object]:
    import pycurl

    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.CAINFO, ca)
    return handle.perform_rb


def _curl_multi(url: str) -> Callable[[], float]:
    """Curl's own loop over many, handles and connections kept."""
    from io import BytesIO

    import pycurl

    multi = pycurl.CurlMulti()
    handles = [pycurl.Curl() for _ in range(AT_ONCE)]

    def work() -> None:
        left, free, open_, bodies = MANY, list(handles), 0, []
        while left or open_:
            while left and free:
                handle = free.pop()
                handle.body = BytesIO()
                handle.setopt(pycurl.URL, url)
                handle.setopt(pycurl.WRITEDATA, handle.body)
                multi.add_handle(handle)
                left -= 1
                open_ += 1
            multi.perform()
            _, good, bad = multi.info_read()
            for handle in good:
                multi.remove_handle(handle)
                bodies.append(handle.body.getvalue())
                free.append(handle)
            open_ -= len(good) + len(bad)
            if open_ and not good:
                multi.select(1.0)

    return lambda: _rate(work, MANY)


def _ours(nginx: _Nginx, **more: Any) -> FastHttpClient:
    return FastHttpClient(manager=native_manager(), ca_file=nginx.ca, http2=False, **more)


def _ours_async(nginx: _Nginx) -> Callable[[], AsyncFastHttpClient]:
    return lambda: AsyncFastHttpClient(manager=native_manager(), ca_file=nginx.ca, http2=False)


def _peers(**made: Callable[[], Callable[[], float]]) -> list[Contender]:
    """Those that are installed; a name's last part after ``__`` is only for its uniqueness."""
    return [Contender(name, VERSIONS[name], make()) for name, make in made.items()
            if VERSIONS[name]]  # fmt: skip


def _wreq_client(ca: str, *, blocking: bool = False) -> Any:
    import wreq

    store = wreq.tls.CertStore.from_pem_stack(Path(ca).read_bytes())
    if blocking:
        import wreq.blocking

        return wreq.blocking.Client(tls_verify=store, http1_only=True)
    return wreq.Client(tls_verify=store, http1_only=True)


class _Held:
    """A client that needs no closing, as a context manager."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def __aenter__(self) -> Any:
        return self._client

    async def __aexit__(self, *_: object) -> None:
        return None


def _wreq_async(nginx: _Nginx, url: str, *, uvloop: bool) -> Callable[[], float]:
    async def get(client: Any) -> object:
        response = await client.get(url)
        return await response.bytes()

    return _gathered(lambda: _Held(_wreq_client(nginx.ca)), get, uvloop=uvloop)


def _wreq_sync(nginx: _Nginx, url: str) -> Callable[[], object]:
    client = _wreq_client(nginx.ca, blocking=True)
    return lambda: client.get(url).bytes()


def _reqwest(nginx: _Nginx, url: str, *, uvloop: bool) -> Callable[[], float]:
    from pyreqwest.client import ClientBuilder

    pem = Path(nginx.ca).read_bytes()

    async def get(client: Any) -> object:
        response = await client.get(url).build().send()
        return await response.bytes()

    return _gathered(
        lambda: ClientBuilder().add_root_certificate_pem(pem).http1_only().build(),
        get,
        uvloop=uvloop,
    )


def _reqwest_sync(nginx: _Nginx, url: str) -> Callable[[], object]:
    from pyreqwest.client import SyncClientBuilder

    pem = Path(nginx.ca).read_bytes()
    client = SyncClientBuilder().add_root_certificate_pem(pem).http1_only().build()
    return lambda: client.get(url).build().send().bytes()


def _aiohttp(nginx: _Nginx, url: str, *, uvloop: bool) -> Callable[[], float]:
    import ssl

    import aiohttp

    context = ssl.create_default_context(cafile=nginx.ca)

    def opened() -> Any:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=AT_ONCE))

    async def get(client: Any) -> object:
        async with client.get(url) as response:
            return await response.read()

    return _gathered(opened, get, uvloop=uvloop)


def _async_case(
    nginx: _Nginx, name: str, url: str, bars: list[tuple[str, float, float]], *, uvloop: bool
) -> list[Case]:
    ours = Contender(
        "agentcore", OURS_VERSION,
        _gathered(_ours_async(nginx), lambda client: client.get(url), uvloop=uvloop),
    )  # fmt: skip
    peers = _peers(
        wreq=lambda: _wreq_async(nginx, url, uvloop=uvloop),
        pyreqwest=lambda: _reqwest(nginx, url, uvloop=uvloop),
        aiohttp=lambda: _aiohttp(nginx, url, uvloop=uvloop),
    )
    return [
        Case(f"{name}, against {against}", "requests/s", "higher", ours,
             [peer for peer in peers if peer.name == against], Bar(against, must, aim))
        for against, must, aim in bars
    ]  # fmt: skip


def _bookkeeping() -> Contender:
    """What retries, limit and breaker cost a good request: begin, then an answer of 200."""
    native: Any = native_manager().native("agent_core_utils")
    rules = (3, 0.1, 10.0, 60.0, 0.1, 10.0, 1e12, 1e9, 10, 30.0, 10)

    def measure() -> float:
        value: float = native.HttpCourse(rules, 0.0).measure(200_000)
        return value

    return Contender("agentcore", OURS_VERSION, measure)


def cases() -> list[Case]:
    """Start nginx and make the cases."""
    nginx = _Nginx()
    url, tls = nginx.url, nginx.tls_url
    shared = _ours(nginx)
    many = [url] * MANY
    twin = FastHttpClient(manager=twin_manager(), retries=Retries())

    def ours(name: str, work: Callable[[], float]) -> Contender:
        return Contender(name, OURS_VERSION, work)

    def pycurl_sync(where: str) -> Callable[[], Callable[[], float]]:
        return lambda: _loop(_curl(where, nginx.ca))

    one = ours("agentcore", _loop(lambda: shared.get(url)))
    threaded = ours("agentcore", _threads(lambda: lambda: shared.get(url)))
    fetched = ours("agentcore", lambda: _rate(lambda: shared.fetch_many(many, AT_ONCE), MANY))
    uv = bool(VERSIONS["uvloop"])
    found = [
        Case("sync, 1 connection", "requests/s", "higher", one,
             [*_peers(pycurl=pycurl_sync(url), wreq=lambda: _loop(_wreq_sync(nginx, url)),
                      pyreqwest=lambda: _loop(_reqwest_sync(nginx, url))),
              Contender("python twin", OURS_VERSION, _loop(lambda: twin.get(url), 300))],
             Bar("pycurl", 1.0, 2.5)),
        Case("sync, 64 threads, against pycurl", "requests/s", "higher", threaded,
             _peers(pycurl=lambda: _threads(lambda: _curl(url, nginx.ca))),
             Bar("pycurl", 1.6, 2.1)),
        Case("sync, 64 threads, against wreq", "requests/s", "higher", threaded,
             _peers(wreq=lambda: _threads(_shared(_wreq_sync(nginx, url)))),
             Bar("wreq", 0.95, 1.2)),
    ]  # fmt: skip
    if uv:
        bars = [("wreq", 1.4, 2.0), ("pyreqwest", 1.8, 2.6), ("aiohttp", 5.0, 8.0)]
        found += _async_case(nginx, "async, 64 in flight, uvloop", url, bars, uvloop=True)
    bars = [("wreq", 1.15, 1.6), ("aiohttp", 4.5, 6.0)]
    found += _async_case(nginx, "async, 64 in flight, asyncio", url, bars, uvloop=False)
    found += [
        Case("fetch_many, against CurlMulti", "requests/s", "higher", fetched,
             _peers(pycurl=lambda: _curl_multi(url)), Bar("pycurl", 1.15, 1.6)),
        Case("fetch_many, against wreq gathered", "requests/s", "higher", fetched,
             _peers(wreq=lambda: _wreq_async(nginx, url, uvloop=uv)), Bar("wreq", 1.8, 2.2)),
        Case("HTTPS, sync, 1 connection", "requests/s", "higher",
             ours("agentcore", _loop(lambda: shared.get(tls))),
             _peers(pycurl=pycurl_sync(tls)), Bar("pycurl", 0.9, 1.3)),
        *_async_case(nginx, "HTTPS, async, 64 in flight, uvloop" if uv else "HTTPS, async, 64",
                     tls, [("wreq", 0.9, 1.3)], uvloop=uv),
        Case("bookkeeping of a good request", "ns", "lower", _bookkeeping(),
             [Contender("the bar of 300 ns", "", lambda: 300.0)],
             Bar("the bar of 300 ns", 1.0, 2.0)),
    ]  # fmt: skip
    return found


def _shared(get: Callable[[], object]) -> Callable[[], Callable[[], object]]:
    return lambda: get


SUBJECT = Subject("http", cases, tuple(name for name in NAMES if not VERSIONS[name]))
