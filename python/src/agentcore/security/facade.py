"""Audits and scans for the rest of the package; callers do not know which twin answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from agentcore.errors import AgentCoreError, InputError
from agentcore.integration import RustIntegrationManager, default_manager
from agentcore.security import twin
from agentcore.security.contract import MODULE, SecurityTools

T = TypeVar("T")


class OutOfScopeError(InputError):
    """An address that the scope file does not hold; nothing was sent to any target."""

    code = "out_of_scope"


class FastSecurityTools:
    """Audits a host and scans what the team owns, natively where that is possible.

    A native call that fails inside is answered by the twin and counted; bad input is raised as
    `InputError`, an address out of scope as `OutOfScopeError`.
    """

    def __init__(self, manager: RustIntegrationManager | None = None) -> None:
        self._manager = default_manager() if manager is None else manager
        self._native = cast("SecurityTools | None", self._manager.native(MODULE))

    @property
    def implementation(self) -> str:
        """``native`` or ``python``."""
        return "python" if self._native is None else "native"

    def catalog(self) -> list[dict[str, str]]:
        """All checks: id, title, severity, reference, fix."""
        return cast("list[dict[str, str]]", json.loads(self._call(lambda tools: tools.catalog())))

    def audit(
        self,
        *,
        rootfs: str,
        procfs: str,
        host: str,
        at: int,
        waivers: str | None = None,
        previous: str | None = None,
    ) -> dict[str, Any]:
        """Audit a host; the report.

        Args:
            rootfs: where the host's ``/`` is mounted.
            procfs: where its ``/proc`` is mounted.
            host: its name in the report.
            at: seconds since 1970 that the report carries.
            waivers: a waivers file's text.
            previous: the last report's text, to name what changed since.
        """
        return self._json(
            lambda tools: tools.audit_host(rootfs, procfs, host, at, waivers, previous)
        )

    def sarif(self, report: dict[str, Any]) -> dict[str, Any]:
        """An audit report as SARIF 2.1.0."""
        text = json.dumps(report, ensure_ascii=False)
        return self._json(lambda tools: tools.sarif(text))

    def check_waivers(self, text: str) -> int:
        """The number of waivers in a waivers file's text."""
        return self._call(lambda tools: tools.check_waivers(text))

    def scope_hosts(self, scope: str) -> list[tuple[str, str]]:
        """Name and address of the hosts in a scope file's text."""
        return self._call(lambda tools: tools.scope_hosts(scope))

    def scan(
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
    ) -> dict[str, Any]:
        """Scan targets of the scope (default: all its hosts) on ports (default: its ports)."""
        if ports is not None and not all(0 < port < 65536 for port in ports):
            raise InputError("a number that is no port", "scan: ports", "1 to 65535")
        return self._json(
            lambda tools: tools.scan_ports(
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

    def _json(self, call: Callable[[SecurityTools], str]) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self._call(call)))

    def _call(self, call: Callable[[SecurityTools], T]) -> T:
        native = self._native
        if native is not None:
            try:
                return call(native)
            except PermissionError as error:
                raise OutOfScopeError(str(error)) from None
            except ValueError as error:
                raise InputError(str(error)) from None
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001  # a panic is no Exception
                self._manager.record_fault(MODULE, error)
                self._native = cast("SecurityTools | None", self._manager.native(MODULE))
        try:
            return call(cast("SecurityTools", twin))
        except PermissionError as error:
            raise OutOfScopeError(str(error)) from None
        except ValueError as error:
            raise InputError(str(error)) from None
        except OSError as error:
            raise AgentCoreError(f"the scanner could not start: {error}") from None
