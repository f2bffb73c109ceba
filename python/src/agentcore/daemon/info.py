"""Who a stand-in is: the name of the daemon that it replaces, and the package's version."""

from __future__ import annotations

from dataclasses import dataclass

IMPLEMENTATION = "python"
"""What ``implementation`` says on every route and metric of a stand-in."""


def _version() -> str:
    # A leaf can't import the package's root; in an image there is no distribution metadata.
    from agentcore import __version__

    return __version__


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """The service's name, for example ``monitor-agent``, and its version."""

    name: str
    version: str = ""

    def __post_init__(self) -> None:
        if not self.version:
            object.__setattr__(self, "version", _version())
