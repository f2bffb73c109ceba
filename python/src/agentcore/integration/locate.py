"""Where a native module lies, without importing it, and how to load it from there.

The order is fixed: the folder of ``AGENTCORE_LIB_DIR`` if it is set, else
``/opt/agentcore/lib`` if it exists (the native layer of the image), else an
installed wheel. A folder that is asked for is the only place looked at: finding
another copy elsewhere would hide that the asked-for one is missing.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from pathlib import Path
from types import ModuleType

__all__ = ["IMAGE_LIB_DIR", "Location", "import_native", "locate", "search_folder"]

IMAGE_LIB_DIR = Path("/opt/agentcore/lib")
"""The folder of the native layer in our images."""

# The stable-ABI name first: it is what the build makes.
_SUFFIXES = sorted(EXTENSION_SUFFIXES, key=lambda suffix: suffix != ".abi3.so")

# A shared object is initialized once per process; later managers share it.
_loaded: dict[str, ModuleType] = {}


@dataclass(frozen=True, slots=True)
class Location:
    """A native module that was found, or why it was not.

    ``file`` is the shared object to load; empty with ``found`` means an
    installed wheel, loaded by its name.
    """

    found: bool
    file: str = ""
    shown: str = ""
    reason: str = ""


def search_folder(lib_dir: Path | None) -> Path | None:
    """Return the one folder to look in, or None for an ordinary import."""
    if lib_dir is not None:
        return lib_dir
    return IMAGE_LIB_DIR if IMAGE_LIB_DIR.is_dir() else None


def locate(module: str, folder: Path | None) -> Location:
    """Find ``module`` in ``folder``, or as an installed module when there is none."""
    if folder is None:
        return _locate_installed(module)
    for suffix in _SUFFIXES:
        file = folder / f"{module}{suffix}"
        # A dangling link is there and broken, not absent.
        if file.exists() or file.is_symlink():
            return Location(found=True, file=str(file), shown=str(file))
    return Location(found=False, reason=f"no {module}.abi3.so in {folder}")


def _locate_installed(module: str) -> Location:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    # A namespace package is only a folder of that name that happens to lie on sys.path.
    if spec is None or spec.origin is None:
        return Location(found=False, reason=f"no module named {module!r} is installed")
    return Location(found=True, shown=spec.origin)


def import_native(module: str, file: str) -> ModuleType:
    """Import ``module`` from the shared object ``file``, or by name when ``file`` is empty.

    Raises:
        ImportError: the object cannot be loaded: truncated, of another ABI,
            missing a symbol, or without the module's init function.
    """
    if not file:
        return importlib.import_module(module)
    if file in _loaded:
        return _loaded[file]
    loader = ExtensionFileLoader(module, file)
    spec = importlib.util.spec_from_file_location(module, file, loader=loader)
    if spec is None:  # not reachable with an explicit loader; the type checker asks
        raise ImportError(f"no import spec for {file}", name=module, path=file)
    loaded = importlib.util.module_from_spec(spec)
    loader.exec_module(loaded)
    # Pickles of native objects look their class up by the module's name.
    sys.modules.setdefault(module, loaded)
    _loaded[file] = loaded
    return loaded
