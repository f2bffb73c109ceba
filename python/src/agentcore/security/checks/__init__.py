"""The audit checks, one file each. A file here registers itself.

Give it a ``CHECK`` whose id is the file's name with dashes, and add it to the Rust twin.
"""

from __future__ import annotations

import importlib
import pkgutil

from agentcore.security.contract import Check


def _all() -> tuple[Check, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").CHECK for name in names)


ALL: tuple[Check, ...] = _all()
"""Every check, by id."""
