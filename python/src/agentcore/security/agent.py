"""The work of the stand-in: audits at intervals, scans on demand, figures, the kept report."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from agentcore.daemon import Latch
from agentcore.security import twin
from agentcore.security.contract import DRIFT_KINDS, STATES

_STATE = "last-audit.json"
_log = logging.getLogger("agentcore.security")


class BusyError(Exception):
    """The same work is being done already."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the agent works with; the files' texts are known to be good."""

    rootfs: str
    procfs: str
    scope: str | None
    waivers: str | None
    state_dir: Path | None
    audit_interval: int
    host_name: str


class Figures:
    """What ``/metrics`` shows, under the names of the Rust daemon. Labels are bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"agent_security_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"agent_security_{name}", text, labels, registry=registry)

        self.findings = gauge("findings", "Findings of the last audit.", "severity", "status")
        self.audited_at = gauge(
            "audit_timestamp_seconds",
            "When the last audit ended, seconds since 1970; 0 before the first.",
        )
        self.audit_duration = gauge("audit_duration_seconds", "How long the last audit took.")
        self.audits = counter("audits", "Audits done.")
        self.drift = gauge("drift", "Changes that the last audit found.", "kind")
        self.unused = gauge("unused_waivers", "Waivers that covered nothing in the last audit.")
        self.scanned_at = gauge(
            "scan_timestamp_seconds",
            "When the last scan ended, seconds since 1970; 0 before the first.",
        )
        self.scan_duration = gauge("scan_duration_seconds", "How long the last scan took.")
        self.scan_complete = gauge(
            "scan_complete", "1 if the last scan tried every port and none failed locally."
        )
        self.probes = counter("scan_probes", "Ports probed, by what was found.", "state")
        self.open_ports = gauge(
            "scan_open_ports", "Open ports that the last scan of a target found.", "target"
        )
        self.denied = counter("scan_denied", "Scans refused as out of scope.")
        for kind in DRIFT_KINDS:
            self.drift.labels(kind)
        for state in STATES:
            self.probes.labels(state)

    def audited(self, report: dict[str, Any], took: float) -> None:
        """An audit ended."""
        for severity, counts in report["summary"].items():
            for status, count in counts.items():
                self.findings.labels(severity, status).set(count)
        for kind in DRIFT_KINDS:
            changes = sum(change["kind"] == kind for change in report["drift"])
            self.drift.labels(kind).set(changes)
        self.unused.set(len(report["unused_waivers"]))
        self.audited_at.set(report["audited_at"])
        self.audit_duration.set(took)
        self.audits.inc()

    def scanned(self, report: dict[str, Any], known: set[str]) -> None:
        """A scan ended; ``known`` are the hosts of the scope."""
        for target in report["targets"]:
            for state, count in target["counts"].items():
                self.probes.labels(state).inc(count)
            if target["name"] in known:
                self.open_ports.labels(target["name"]).set(target["counts"]["open"])
        self.scan_complete.set(report["complete"])
        self.scan_duration.set(report["duration_seconds"])
        self.scanned_at.set(report["scanned_at"])


class Agent:
    """Audits this host and scans the hosts of its scope, each one at a time."""

    def __init__(self, config: Config, registry: CollectorRegistry) -> None:
        self.config = config
        self.last: str | None = None
        self._figures = Figures(registry)
        self._audit_turn = threading.Lock()
        self._scan_turn = threading.Lock()
        self._stop = threading.Event()

    def start(self, ready: Latch) -> None:
        """Audit at once, open the latch, then audit at intervals until `close`."""
        threading.Thread(target=self._periodic, args=(ready,), name="audit", daemon=True).start()

    def close(self) -> None:
        """No more audits."""
        self._stop.set()

    def _periodic(self, ready: Latch) -> None:
        while not self._stop.is_set():
            try:
                report = json.loads(self.audit())
            except BusyError:
                _log.debug("an audit asked for by the API is running")
            except Exception:  # noqa: BLE001  # the next one may do better; /readyz tells
                _log.exception("audit failed")
            else:
                ready.open()
                failed = sum(counts["fail"] for counts in report["summary"].values())
                fields = {"findings": len(report["findings"]), "failed": failed}
                _log.info("audit done", extra={"fields": fields})
            self._stop.wait(self.config.audit_interval)

    def audit(self) -> str:
        """Audit now; the report.

        Raises:
            BusyError: an audit is running.
        """
        if not self._audit_turn.acquire(blocking=False):
            raise BusyError("an audit is running")
        try:
            start = time.monotonic()
            text = self._audit_once()
            report = json.loads(text)
            self._figures.audited(report, time.monotonic() - start)
            self.last = text
        finally:
            self._audit_turn.release()
        for change in report["drift"]:
            fields = {"kind": change["kind"], "subject": change["subject"]}
            _log.warning("the host changed", extra={"fields": fields})
        return text

    def _audit_once(self) -> str:
        config = self.config
        place = None if config.state_dir is None else config.state_dir / _STATE
        previous = _read_state(place)
        at = int(time.time())
        known = (config.rootfs, config.procfs, config.host_name, at, config.waivers)
        try:
            text = twin.audit_host(*known, previous)
        except ValueError as error:
            if previous is None:
                raise
            _log.warning("%s; drift starts anew", error)
            text = twin.audit_host(*known)
        if place is not None:
            try:
                _write_state(place, text)
            except OSError as error:
                _log.error("the report cannot be kept at %s: %s", place, error)
        return text

    def scan(self, targets: list[str] | None, ports: list[int] | None) -> str:
        """Scan now; the report. Default: all hosts of the scope but this one.

        Raises:
            BusyError: a scan is running.
            PermissionError: a target is out of scope.
            ValueError: the request makes no sense.
        """
        scope = self.config.scope
        if scope is None:
            raise ValueError("no scope file was given")
        if not self._scan_turn.acquire(blocking=False):
            raise BusyError("a scan is running")
        try:
            names = [name for name, _ in twin.scope_hosts(scope)]
            if targets is None:
                targets = [name for name in names if name != self.config.host_name] or names
            text = twin.scan_ports(scope, targets, ports, at=int(time.time()))
        except PermissionError:
            self._figures.denied.inc()
            raise
        finally:
            self._scan_turn.release()
        report = json.loads(text)
        self._figures.scanned(report, set(names))
        fields = {"targets": len(report["targets"]), "seconds": report["duration_seconds"]}
        _log.info("scan done", extra={"fields": fields})
        return text


def _read_state(place: Path | None) -> str | None:
    if place is None:
        return None
    try:
        return place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("the last report at %s cannot be read: %s", place, error)
        return None


def _write_state(place: Path, text: str) -> None:
    """Write beside its place and move there, so that a reader never sees half of it."""
    early = place.with_suffix(".json.new")
    descriptor = os.open(early, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    early.replace(place)
