"""``wheels``: the dependencies of a lock file, unpacked from wheels fetched once.

Wheels are unpacked here and not by an installer: an installer writes the control host's own
paths into scripts and records, and the layer would differ from host to host.
"""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath
from typing import Any

from ..bytecode import with_bytecode
from ..context import Context
from ..errors import BuildError
from ..fetch import wheels_for
from ..place import Place
from ..recipe import LayerSpec
from ..store import hash_file
from ..tree import Node, Tree, clean, with_parents

# Never read at run time: sources of extensions, type stubs, the libraries' own tests.
USELESS_SUFFIXES = (".pyi", ".pxd", ".pyx", ".h", ".hpp", ".c", ".cpp", ".a", ".lib")


class Wheels:
    """Options: ``lock``, a requirements file with exact pins; ``to``, a folder."""

    def inputs(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Any]:
        """The lock file, the machine, and the Python below."""
        from .debian import rootfs_of

        python = place.foreign or rootfs_of(ctx, place.lower).key
        lock = self._lock(ctx, spec)
        return [spec.options, hash_file(lock), ctx.machine, ctx.python_version, python]

    def sources(self, folder: str, spec: LayerSpec) -> list[str]:
        """The lock file."""
        return [str(spec.options["lock"])]

    def title(self, spec: LayerSpec) -> str:
        """The lock file."""
        return f"wheels: {spec.options['lock']}"

    def components(self, ctx: Context, spec: LayerSpec) -> list[str]:
        """Name and version of each wheel."""
        wheels = wheels_for(ctx, self._lock(ctx, spec))
        return [f"wheel {' '.join(path.name.split('-')[:2])}" for path in wheels]

    def nodes(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Node]:
        """The wheels' files below ``to``, with bytecode."""
        to = clean(spec.options["to"])
        tree: Tree = {}
        for wheel in wheels_for(ctx, self._lock(ctx, spec)):
            with zipfile.ZipFile(wheel) as archive:
                for info in archive.infolist():
                    place_in = "" if info.is_dir() else _installed_path(info.filename)
                    if not place_in or _useless(place_in):
                        continue
                    mode = 0o755 if (info.external_attr >> 16) & 0o100 else 0o644
                    path = f"{to}/{place_in}"
                    tree[path] = Node(path, mode=mode, content=archive.read(info))
        return with_parents(with_bytecode(ctx, place, list(tree.values())))

    def _lock(self, ctx: Context, spec: LayerSpec) -> Any:
        if not isinstance(spec.options, dict) or set(spec.options) != {"lock", "to"}:
            raise BuildError(spec.where, "wheels wants lock and to")
        lock = ctx.root / str(spec.options["lock"])
        if not lock.is_file():
            raise BuildError(
                spec.where, f"{spec.options['lock']} is missing", "a lock file with pins"
            )
        return lock


def _installed_path(name: str) -> str:
    """Return where a wheel's member goes, or "" if it has no place in an image (a script).

    Source: the binary distribution format, "The .data directory".
    """
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise BuildError(name, "a wheel's member leaves its folder")
    if parts and parts[0].endswith(".data"):
        return "/".join(parts[2:]) if parts[1] in ("purelib", "platlib") else ""
    return "/".join(parts)


def _useless(path: str) -> bool:
    parts = path.split("/")
    # The rest of a tests folder stays: numpy.testing, for one, imports from it.
    test = "tests" in parts[1:-1] and (parts[-1].startswith("test_") or "data" in parts)
    return test or path.endswith(USELESS_SUFFIXES)


KIND = Wheels()
