"""What a scrape costs: the Rust daemon beside Debian's node_exporter and the Python stand-in.

All three are real processes on loopback, asked over a connection that stays open, as Prometheus
does. "The same collectors" are those that all of them have; containers are ours alone.
"""

from __future__ import annotations

import atexit
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agentcore.errors import NotFoundError
from benchmarks.harness import Bar, Case, Contender, Subject
from benchmarks.native import OURS_VERSION

ROOT = Path(__file__).parents[3]
PEER = "prometheus-node-exporter"
PEER_FOLDER = ROOT / "build/bench/peers" / PEER
SCRAPES = 25
SAME = (
    "conntrack",
    "cpu",
    "diskstats",
    "filefd",
    "filesystem",
    "loadavg",
    "meminfo",
    "netdev",
    "pressure",
    "stat",
    "textfile",
    "time",
    "uname",
    "vmstat",
)
SAME_PATH = "/metrics?" + "&".join(f"collect[]={name}" for name in SAME)


class Daemon:
    """A process with a ``/metrics``, ended with the benchmark."""

    def __init__(self, name: str, version: str, command: list[str], listen_flag: str) -> None:
        self.name, self.version = name, version
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [*command, f"{listen_flag}=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.stop)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self.get("/metrics")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise NotFoundError(f"{self.name} does not answer", "its /metrics") from None
                self.connection.close()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it and take back its memory."""
        self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path: str) -> int:
        """Scrape once; return the bytes."""
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise NotFoundError(f"{self.name} answered {answer.status}", path)
        return len(body)

    def _cpu_nanos(self) -> int:
        """Time on a processor of all threads; schedstat counts finer than the usual ticks."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total

    def latency(self, path: str) -> Callable[[], float]:
        """Milliseconds a scrape takes: the median of a round's scrapes."""

        def measure() -> float:
            times = []
            for _ in range(SCRAPES):
                begun = time.perf_counter_ns()
                self.get(path)
                times.append(time.perf_counter_ns() - begun)
            return sorted(times)[SCRAPES // 2] / 1e6

        return measure

    def cpu(self, path: str) -> Callable[[], float]:
        """Milliseconds of processor time that a scrape costs the daemon."""

        def measure() -> float:
            before = self._cpu_nanos()
            for _ in range(SCRAPES):
                self.get(path)
            return (self._cpu_nanos() - before) / SCRAPES / 1e6

        return measure

    def memory(self) -> float:
        """MiB of resident memory after all the scrapes so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else float("nan")


def agent_binary() -> Path:
    """The newest build of the Rust daemon.

    Raises:
        NotFoundError: it has not been built.
    """
    given = os.environ.get("MONITOR_AGENT")
    builds = [Path(given)] if given else list(ROOT.glob("rust/target/*/monitor-agent"))
    builds += [] if given else list(ROOT.glob("rust/target/*/*/monitor-agent"))
    builds = [build for build in builds if build.is_file() and build.parent.name != "debug"]
    if not builds:
        raise NotFoundError(
            "monitor-agent has not been built",
            "rust/target",
            "cargo build --profile quick -p monitor-agent, or MONITOR_AGENT=its path",
        )
    return max(builds, key=lambda build: build.stat().st_mtime)


def peer_binary() -> Path | None:
    """Debian's node_exporter: installed, or its package unpacked (no service is set up)."""
    installed = shutil.which(PEER)
    if installed:
        return Path(installed)
    binary = PEER_FOLDER / "usr/bin" / PEER
    if not binary.exists() and shutil.which("apt-get") and shutil.which("dpkg"):
        PEER_FOLDER.mkdir(parents=True, exist_ok=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = ["apt-get", "download", PEER]
        subprocess.run(command, cwd=PEER_FOLDER, check=False, timeout=120, **quiet)  # type: ignore[call-overload]
        for package in PEER_FOLDER.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(PEER_FOLDER)], check=True)
            package.unlink()
    return binary if binary.exists() else None


def peer_version(binary: Path) -> str:
    """What it says of itself."""
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\S+?)[, ]", done.stdout + done.stderr)
    return found[1] if found else "unknown"


def cases() -> list[Case]:
    """Start the daemons and say what is measured."""
    ours = Daemon("monitor-agent", OURS_VERSION, [str(agent_binary())], "--listen")
    command = [sys.executable, "-m", "agentcore", "monitor"]
    peers = [Daemon("python stand-in", OURS_VERSION, command, "--listen")]
    binary = peer_binary()
    if binary is not None:
        command = [str(binary), "--log.level=error"]
        version = peer_version(binary)
        peers.insert(0, Daemon("node_exporter", version, command, "--web.listen-address"))

    def case(name: str, unit: str, measure: Callable[[Daemon], Callable[[], float]]) -> Case:
        def contender(daemon: Daemon) -> Contender:
            return Contender(daemon.name, daemon.version, measure(daemon))

        return Case(
            name,
            unit,
            "lower",
            contender(ours),
            [contender(peer) for peer in peers],
            Bar("node_exporter", must=1.0, aim=3.0 if unit == "MiB" else 10.0) if binary else None,
        )

    return [
        case("the same collectors, latency", "ms", lambda one: one.latency(SAME_PATH)),
        case("the same collectors, processor time", "ms", lambda one: one.cpu(SAME_PATH)),
        case("all defaults, latency", "ms", lambda one: one.latency("/metrics")),
        case("all defaults, processor time", "ms", lambda one: one.cpu("/metrics")),
        case("resident memory", "MiB", lambda one: one.memory),
    ]


def missing() -> list[str]:
    """The peer, where it is neither installed nor to be had as a Debian package."""
    here = shutil.which(PEER) or PEER_FOLDER.exists() or shutil.which("apt-get")
    return [] if here else ["node_exporter"]


SUBJECT = Subject("monitor", cases, missing=missing())
