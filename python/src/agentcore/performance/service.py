"""``agentcore monitor``: stands in for the Rust ``monitor-agent``, with its flags and routes.

It uses the twin alone: it runs where native code has failed or isn't there.
"""

from __future__ import annotations

import argparse
import logging
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram

from agentcore.daemon import Request, Service, ServiceInfo, add_daemon_arguments
from agentcore.errors import ConfigurationError, InputError
from agentcore.performance import twin

__all__ = ["add_arguments", "run"]

NAME = "monitor-agent"
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1.0, 5.0)
_log = logging.getLogger("agentcore.monitor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the Rust daemon."""
    add_daemon_arguments(parser, listen="127.0.0.1:9100")
    for flag, default, text in (
        ("--path.procfs", "/proc", "the host's procfs"),
        ("--path.sysfs", "/sys", "the host's sysfs"),
        ("--path.rootfs", "/", "the host's root; put in front of every mount point"),
    ):
        parser.add_argument(
            flag,
            dest=flag.removeprefix("--path."),
            metavar="DIR",
            type=Path,
            default=Path(default),
            help=f"{text} (default {default})",
        )
    parser.add_argument(
        "--collector.textfile.directory",
        dest="textfile_directory",
        metavar="DIR",
        type=Path,
        default=None,
        help="folder of *.prom files that are added to the page",
    )


def check_paths(args: argparse.Namespace) -> None:
    """Refuse paths that can't be right before anything listens.

    Raises:
        ConfigurationError: which flag, and what would be right.
    """
    for name in ("procfs", "sysfs", "rootfs"):
        path: Path = getattr(args, name)
        if not path.is_dir():
            raise ConfigurationError("not a folder", f"--path.{name} {path}", "a mounted tree")
    if not (args.procfs / "stat").exists():
        raise ConfigurationError(
            "there is no file stat in it",
            f"--path.procfs {args.procfs}",
            "a procfs, as /proc or the host's mounted at /host/proc",
        )


class Scraper:
    """Makes pages, counts them, and logs what goes wrong once, not every 15 s."""

    def __init__(self, monitor: twin.Monitor, registry: CollectorRegistry) -> None:
        self._monitor = monitor
        self._scrapes = Counter("agentcore_monitor_scrapes", "Pages made.", registry=registry)
        self._seconds = Histogram(
            "agentcore_monitor_scrape_duration_seconds",
            "Time to make a page.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] = set()

    def page(self, request: Request) -> str:
        """Answer ``/metrics``; ``collect[]`` and ``exclude[]`` choose, as in node_exporter.

        Raises:
            InputError: a collector is unknown, or both are given.
        """
        only = request.query.get("collect[]", [])
        exclude = request.query.get("exclude[]", [])
        try:
            with self._seconds.time():
                text, failures = self._monitor.collect(only, exclude)
        except ValueError as error:
            raise InputError(str(error)) from None
        self._scrapes.inc()
        if not only and not exclude:  # a part says nothing about the rest
            self._report(set(failures))
        return text

    def _report(self, now: set[tuple[str, str]]) -> None:
        with self._lock:
            for collector, reason in sorted(now - self._known):
                _log.warning("%s", reason, extra={"fields": {"collector": collector}})
            for collector, reason in sorted(self._known - now):
                _log.info("recovered: %s", reason, extra={"fields": {"collector": collector}})
            self._known = now


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM.

    Raises:
        ConfigurationError: a path can't be right (exit status 64).
        AgentCoreError: the address can't be taken (exit status 1).
    """
    check_paths(args)
    service = Service.from_args(ServiceInfo(NAME), args)
    monitor = twin.Monitor(args.procfs, args.sysfs, args.rootfs, args.textfile_directory)
    service.metrics_source = Scraper(monitor, service.registry).page
    service.bind()
    return service.run()
