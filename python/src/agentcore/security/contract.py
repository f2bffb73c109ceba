"""What auditing and scanning mean, whoever does it: words, shapes and refusals.

The reports are JSON text, the same bytes from the native module and from the twin (times aside).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agentcore.security.host.tree import Host

MODULE = "agent_security_tools"
"""The component's name."""
TOOL = "agent-security-tools"
"""The name that reports carry."""
SCHEMA = 1
"""The version of the reports' form."""
SEVERITIES = ("critical", "high", "medium", "low")
"""Worst first."""
STATUSES = ("fail", "error", "waived", "pass", "not_applicable")
"""In the order of the summary."""
STATES = ("open", "closed", "filtered", "local_error", "skipped")
"""What a probe can find; ``local_error`` is our side's failure, never ``closed``."""
DRIFT_KINDS = (
    "container_added",
    "container_image_changed",
    "container_removed",
    "listener_added",
    "listener_removed",
    "setuid_added",
    "setuid_removed",
)
"""What can change between two audits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check says of one subject, with its evidence (never a secret's value)."""

    subject: str
    status: str
    evidence: str


def pass_if(good: bool, subject: str, evidence: str) -> Outcome:
    """Pass or fail, by a condition."""
    return Outcome(subject, "pass" if good else "fail", evidence)


def passed(subject: str, evidence: str) -> Outcome:
    """Looked at and found good."""
    return Outcome(subject, "pass", evidence)


def failed(subject: str, evidence: str) -> Outcome:
    """Looked at and found bad."""
    return Outcome(subject, "fail", evidence)


def unknown(subject: str, evidence: str) -> Outcome:
    """It could not be looked at: unknown, and never taken for a pass."""
    return Outcome(subject, "error", evidence)


def not_applicable(subject: str, evidence: str) -> Outcome:
    """There is no such thing here."""
    return Outcome(subject, "not_applicable", evidence)


@dataclass(frozen=True, slots=True)
class Check:
    """One audit check; its id is the name of its file with dashes."""

    id: str
    title: str
    severity: str
    reference: str
    fix: str
    run: Callable[[Host], list[Outcome]]


def bad_input(place: str, what: str, expected: str) -> ValueError:
    """Input that cannot be used, worded as the native module does."""
    return ValueError(f"{place}: {what}; expected {expected}")


def out_of_scope(address: str, reason: str) -> PermissionError:
    """An address that the scope does not hold, worded as the native module does."""
    return PermissionError(f"{address} is out of scope: {reason}")


class SecurityTools(Protocol):
    """The surface that the native module and the twin share.

    ``ValueError`` is bad input, ``PermissionError`` an address out of scope, ``OSError`` a scanner
    that cannot start. Reports are JSON text.
    """

    __version__: str

    def catalog(self) -> str:
        """All checks, by id."""

    def audit_host(
        self,
        rootfs: str,
        procfs: str,
        host: str,
        at: int,
        waivers: str | None = None,
        previous: str | None = None,
    ) -> str:
        """Audit the host whose ``/`` and ``/proc`` are mounted at these places."""

    def sarif(self, report: str) -> str:
        """An audit report as SARIF 2.1.0."""

    def check_waivers(self, text: str) -> int:
        """The number of waivers in a waivers file's text."""

    def scope_hosts(self, scope: str) -> list[tuple[str, str]]:
        """Name and address of the hosts in a scope file's text."""

    def scan_ports(
        self,
        scope: str,
        targets: list[str] | None = None,
        ports: list[int] | None = None,
        *,
        timeout: float = 1.0,
        tries: int = 2,
        deadline: float = 120.0,
        max_sockets: int = 1024,
        at: int = 0,
    ) -> str:
        """Scan targets of the scope (default: all its hosts) on ports (default: its ports)."""
