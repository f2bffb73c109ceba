"""What the routes share: who we are, what is ready, and why not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore import __version__

if TYPE_CHECKING:
    from agentcore.api.runner import Runner
    from agentcore.api.store import RunStore
    from agentcore.core import AGENTCore
    from agentcore.daemon.keys import ApiKey
    from agentcore.integration import ComponentStatus

__all__ = ["State"]


@dataclass
class State:
    """The service's state; written by its main thread, read by the routes.

    Attributes:
        release: the release id; may be empty.
        key: what callers of ``/v1`` must show, or None.
        store: the finished runs.
        core: the agents; None until they are loaded.
        runner: the pool; None until the agents are loaded.
        draining: whether the service is on its way down.
        guard_reason: why the boot guard keeps native code off; empty when it does not.
        need_model: whether the service is only ready with its model.
    """

    release: str
    key: ApiKey | None
    store: RunStore
    core: AGENTCore | None = None
    runner: Runner | None = None
    draining: bool = False
    guard_reason: str = ""
    need_model: bool = True
    notes: list[str] = field(default_factory=list)

    def statuses(self) -> dict[str, ComponentStatus]:
        """Return the components' states; empty until they are known."""
        return self.core.components() if self.core else {}

    def flavor(self) -> str:
        """Return ``native`` if any component answers natively, else ``python``."""
        native = any(status.implementation == "native" for status in self.statuses().values())
        return "native" if native else "python"

    def trouble(self) -> str:
        """Return why the service cannot take requests now, or an empty string."""
        if self.draining:
            return "draining: on its way down"
        if self.core is None or self.runner is None:
            return "starting: components and model are being loaded"
        model = self.core.model_status()
        if self.need_model and model.state != "loaded":
            return f"the model is {model.state}: {model.reason}"
        return self.store.trouble()

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Return whether the service is ready, and the body of ``/readyz``."""
        trouble = self.trouble()
        reasons = [reason for reason in (trouble, self.guard_reason) if reason]
        return not trouble, {
            "status": "not_ready" if trouble else "ready",
            "service": "agentcore",
            "version": __version__,
            "release": self.release,
            "flavor": self.flavor(),
            "pid": os.getpid(),
            "reason": "; ".join(reasons),
            "components": {
                name: {
                    "implementation": status.implementation,
                    "state": status.state,
                    "version": status.version,
                    "reason": status.reason,
                }
                for name, status in self.statuses().items()
            },
            "model": self.core.model_status().to_dict() if self.core else None,
        }
