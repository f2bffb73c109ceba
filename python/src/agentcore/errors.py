"""The errors that AGENTCore raises on purpose.

Each says what is wrong, where, and what would be right, because the reader of a message is
rarely the writer of the code. A leaf: imports nothing of the package.
"""

from __future__ import annotations

__all__ = [
    "AgentCoreError",
    "ConfigurationError",
    "InputError",
    "NativeUnavailableError",
    "NotFoundError",
]

EX_USAGE = 64
"""Exit status of a refused command line, environment or configuration file (sysexits.h)."""


class AgentCoreError(Exception):
    """Base of every deliberate error.

    Args:
        what: what is wrong, in one sentence without a full stop.
        where: the file:line, variable, flag or field concerned; may be empty.
        expected: what would be right; may be empty.
    """

    exit_code = 1
    code = "error"

    def __init__(self, what: str, where: str = "", expected: str = "") -> None:
        super().__init__(what, where, expected)
        self.what = what
        self.where = where
        self.expected = expected

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; expected {self.expected}" if self.expected else head

    def to_dict(self) -> dict[str, str]:
        """Return the error object of the HTTP API and of ``--format json``."""
        return {
            "code": self.code,
            "what": self.what,
            "where": self.where,
            "expected": self.expected,
        }


class ConfigurationError(AgentCoreError):
    """A flag, variable or configuration file is not acceptable; nothing has been started."""

    exit_code = EX_USAGE
    code = "configuration"


class NativeUnavailableError(AgentCoreError):
    """Native code was required (``AGENTCORE_NATIVE=require``) and cannot be used."""

    code = "native_unavailable"


class InputError(AgentCoreError):
    """The data given to an agent or a capability is not acceptable."""

    exit_code = 2
    code = "input"


class NotFoundError(AgentCoreError):
    """The thing asked for does not exist: a run, an agent, a template, a container."""

    exit_code = 3
    code = "not_found"
