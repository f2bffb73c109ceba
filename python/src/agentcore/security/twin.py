"""The pure-Python security tools: the surface of the native module, with the same findings.

Slower (one selector, fewer system calls saved), never different: `contract.SecurityTools`.
"""

from __future__ import annotations

from agentcore import __version__
from agentcore.security import audit as _audit
from agentcore.security import sarif as _sarif
from agentcore.security import scanner as _scanner
from agentcore.security import scope as _scope
from agentcore.security import waivers as _waivers
from agentcore.security.audit import catalog
from agentcore.security.host import Host

__all__ = [
    "__version__",
    "audit_host",
    "catalog",
    "check_waivers",
    "sarif",
    "scan_ports",
    "scope_hosts",
]


def audit_host(
    rootfs: str,
    procfs: str,
    host: str,
    at: int,
    waivers: str | None = None,
    previous: str | None = None,
) -> str:
    """Audit the host whose ``/`` and ``/proc`` are mounted at these places; the report as JSON.

    Raises:
        ValueError: the waivers or the previous report cannot be used.
    """
    return _audit.to_json(_audit.audit(Host(rootfs, procfs), host, at, waivers, previous))


def sarif(report: str) -> str:
    """An audit report as SARIF 2.1.0.

    Raises:
        ValueError: the text is no audit report.
    """
    return _audit.to_json(_sarif.log([_sarif.read_report(report)]))


def check_waivers(text: str) -> int:
    """The number of waivers in a waivers file's text.

    Raises:
        ValueError: names the entry that cannot be used.
    """
    return len(_waivers.parse(text))


def scope_hosts(scope: str) -> list[tuple[str, str]]:
    """Name and address of the hosts in a scope file's text.

    Raises:
        ValueError: names the entry that cannot be used.
    """
    return [(host.name, str(host.address)) for host in _scope.parse(scope).hosts]


def scan_ports(
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
    """Scan targets of the scope (default: all its hosts) on ports (default: its ports).

    Times are in seconds; the report is JSON.

    Raises:
        PermissionError: a target is out of scope; nothing was sent.
        ValueError: the scope or the options make no sense.
    """
    return _audit.to_json(
        _scanner.scan(
            scope,
            targets,
            ports,
            timeout=timeout,
            tries=tries,
            deadline=deadline,
            max_sockets=max_sockets,
            at=at,
        )
    )
