"""A PostgreSQL server of its own: in a temporary folder, on a Unix socket alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

__all__ = ["PostgresServer", "why_not"]

DEADLINE = 60.0
BINARIES = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "logging_collector": "off",
}


def why_not() -> str:
    """Return why no server can be started here; empty if one can."""
    if not (BINARIES / "initdb").exists():
        return f"{BINARIES}/initdb is not there (Debian: postgresql-15)"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "PostgreSQL refuses root and setpriv is not there"
    return ""


class PostgresServer:
    """Starts on entering, stops on leaving; ``url`` is where it is.

    Args:
        settings: of postgresql.conf, on top of or instead of :data:`SETTINGS`.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = SETTINGS | settings
        self._folder = Path(tempfile.mkdtemp(prefix="agentcore-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as: list[str] = []
        if os.geteuid() == 0:
            self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(self._folder, "postgres", "postgres")

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._folder))}"

    def __enter__(self) -> Self:
        try:
            subprocess.run(
                [*self._as, str(BINARIES / "initdb"), "--auth=trust", "--username=postgres",
                 "--no-sync", "--locale=C", "--encoding=UTF8", "-D", str(self._folder / "data")],
                check=True, capture_output=True, timeout=DEADLINE, cwd=self._folder,
            )  # fmt: skip
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"-c{key}={value}" for key, value in self._settings.items()]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*self._as, str(BINARIES / "postgres"), "-D", str(self._folder / "data"),
                 "-k", str(self._folder), *options],
                stdout=log, stderr=log, cwd=self._folder,
            )  # fmt: skip
        end = time.monotonic() + DEADLINE
        ready = [str(BINARIES / "pg_isready"), "-q", "-h", str(self._folder)]
        while subprocess.run(ready, check=False, timeout=DEADLINE).returncode:
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop the server: SIGINT disconnects everybody, SIGQUIT is a crash."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(DEADLINE)
        self._process = None

    def query(self, sql: str) -> str:
        """Run SQL; return what psql prints, without decoration."""
        command = [str(BINARIES / "psql"), "-h", str(self._folder), "-U", "postgres", "-qAtc", sql]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=DEADLINE
        ).stdout

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
