"""One client over four: the twin and the native one, blocking and in an asyncio loop."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentcore.http import AsyncFastHttpClient, FastHttpClient
from agentcore.integration import RustIntegrationManager


class InLoop:
    """An asyncio client that is called as if it blocked."""

    def __init__(self, **options: Any) -> None:
        self.client = AsyncFastHttpClient(**options)
        self.loop = asyncio.new_event_loop()

    def wait(self, begin: Callable[[], Any]) -> Any:
        async def work() -> Any:
            return await begin()

        return self.loop.run_until_complete(work())

    def get(self, *arguments: Any, **more: Any) -> Any:
        return self.wait(lambda: self.client.get(*arguments, **more))

    def request(self, *arguments: Any, **more: Any) -> Any:
        return self.wait(lambda: self.client.request(*arguments, **more))

    def post(self, *arguments: Any, **more: Any) -> Any:
        return self.wait(lambda: self.client.post(*arguments, **more))

    def fetch_many(self, *arguments: Any, **more: Any) -> Any:
        return self.wait(lambda: self.client.fetch_many(*arguments, **more))

    def read_stream(self, *arguments: Any, **more: Any) -> Any:
        """Return the head's status and the pieces."""

        async def work() -> Any:
            async with self.client.stream(*arguments, **more) as response:
                return response.status, [piece async for piece in response]

        return self.loop.run_until_complete(work())

    def metrics(self) -> Any:
        return self.client.metrics()

    def shut(self) -> None:
        """Close the client, not yet the loop."""

        async def work() -> None:
            self.client.close()
            await asyncio.sleep(0)

        self.loop.run_until_complete(work())

    def close(self) -> None:
        self.shut()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class Blocking:
    def __init__(self, **options: Any) -> None:
        self.client = FastHttpClient(**options)
        for name in ("get", "request", "post", "fetch_many", "metrics", "close"):
            setattr(self, name, getattr(self.client, name))

    def shut(self) -> None:
        self.client.close()

    def read_stream(self, *arguments: Any, **more: Any) -> Any:
        with self.client.stream(*arguments, **more) as response:
            return response.status, list(response)


@pytest.fixture(params=["blocking", "asyncio"])
def make(request: pytest.FixtureRequest, manager: RustIntegrationManager) -> Iterator[Any]:
    """Make clients of the implementation and form at hand; they are closed afterwards."""
    made: list[Any] = []

    def client(**options: Any) -> Any:
        kind = Blocking if request.param == "blocking" else InLoop
        options.setdefault("random", lambda: 0.0)
        made.append(kind(manager=manager, **options))
        return made[-1]

    yield client
    for each in made:
        each.close()


class Certificates:
    """A certificate authority made for the test, and what it signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        usage = subprocess.run(
            ["openssl", "x509", "-help"], capture_output=True, text=True, check=False
        )
        self.can_backdate = "-not_before" in usage.stderr + usage.stdout
        self.ca = self._make("ca", None, "basicConstraints=critical,CA:TRUE")

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)

    def _make(self, name: str, signer: str | None, extension: str, *more: str) -> str:
        self._run(
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN=test {name}",
        )
        (self._folder / f"{name}.ext").write_text(extension)
        sign = (
            ["-signkey", f"{name}.key"]
            if signer is None
            else ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key", "-CAcreateserial"]
        )
        days = more or ("-days", "30")
        self._run(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-out",
            f"{name}.pem",
            *sign,
            "-extfile",
            f"{name}.ext",
            *days,
        )
        return str(self._folder / f"{name}.pem")  # fmt: skip

    def server(self, name: str, names: str, *more: str) -> ssl.SSLContext:
        """Return a server's settings with a certificate for ``names``."""
        certificate = self._make(name, "ca", f"subjectAltName={names}", *more)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, str(self._folder / f"{name}.key"))
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))
