"""Lists the public names and signatures of the package, one a line: what its users may rely on.

``python tools/public_api.py`` prints the list that ``tests/public_api.txt`` records. A test holds
the two together, so a change of the interface fails until the record, and the changelog, say so.

Public is what a room of ``agentcore`` names in ``__all__``, and of its classes what has no
underscore in front, with the special methods they define. Signatures are printed as Python 3.11
prints them.
"""

from __future__ import annotations

import enum
import hashlib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import agentcore

SPECIAL = frozenset(
    f"__{name}__"
    for name in (
        "aenter aexit aiter anext call contains delitem enter exit getitem iter len next setitem"
    ).split()
)


def rooms() -> list[ModuleType]:
    """Return the package itself and its rooms, sorted by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(agentcore.__path__))
    modules = [importlib.import_module(f"agentcore.{n}") for n in names if n[0] != "_"]
    return [agentcore, *modules]


def signature(value: Any) -> str:
    """Return how ``value`` is called, or an empty string if that can't be told."""
    try:
        return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(value)))
    except (TypeError, ValueError):
        return ""


def members(path: str, kind: type) -> Iterator[str]:
    """Yield a line for each public member that ``kind`` or a base of ours defines."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("agentcore")]
    found: dict[str, Any] = {}
    for base in reversed(bases):
        found.update(vars(base))
    for name, value in sorted(found.items()):
        if name.startswith("_") and name not in SPECIAL:
            continue
        where = f"{path}.{name}"
        if isinstance(value, property):
            yield f"{where}: property"
        elif isinstance(value, classmethod | staticmethod):
            yield f"{where}{signature(value.__func__)} [{type(value).__name__}]"
        elif inspect.isfunction(value):
            word = "async " if inspect.iscoroutinefunction(value) else ""
            yield f"{word}{where}{signature(value)}"
        elif isinstance(value, enum.Enum):
            yield f"{where} = {value.value!r}"


def describe(path: str, value: Any) -> Iterator[str]:
    """Yield the lines of one public name."""
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"class {path}({bases})"
        if not issubclass(value, enum.Enum | BaseException):
            yield f"{path}.__init__{signature(value)}"
        yield from members(path, value)
    elif inspect.isfunction(value):
        yield f"{path}{signature(value)}"
    elif inspect.ismodule(value):
        yield f"module {path}"
    else:
        yield f"{path}: {type(value).__name__}"


def lines() -> list[str]:
    """Return the whole list, sorted within each room; a second name only points to the first."""
    listed: list[str] = []
    homes: dict[int, str] = {}
    for module in [*rooms()[1:], agentcore]:
        for name in sorted(getattr(module, "__all__", ())):
            path, value = f"{module.__name__}.{name}", getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                if id(value) in homes:
                    listed.append(f"{path} is {homes[id(value)]}")
                    continue
                homes[id(value)] = path
            listed += describe(path, value)
    return listed


def digest() -> str:
    """Return the first 12 hexadecimal digits of the list's SHA-256, for the changelog."""
    return hashlib.sha256("\n".join(lines()).encode()).hexdigest()[:12]


if __name__ == "__main__":
    print("\n".join(lines()))
