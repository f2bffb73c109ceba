"""Finds the data files that come inside packages, and refuses any that is not the pinned one.

The packages are used as boxes of data: their code is never imported, because it pulls in what
the image does not have and tries to download what it already holds.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from agentcore.errors import AgentCoreError

__all__ = ["DataFileError", "Pinned", "pinned"]


class DataFileError(AgentCoreError):
    """A pinned data file is absent or is not the pinned one.

    Attributes:
        absent: True when the package is not installed, False when a file differs.
    """

    code = "data_file"

    def __init__(self, what: str, where: str, expected: str, absent: bool) -> None:
        super().__init__(what, where, expected)
        self.absent = absent


@dataclass(frozen=True)
class Pinned:
    """One entry of the manifest, with its files checked.

    Attributes:
        name: the entry's name.
        package: the package that holds the files.
        version: the version of it that was pinned.
        files: the checked files by their role.
        sha256: the pinned hash of each file by its role.
        dimensions: length of a vector; 0 for what is not an embedding model.
    """

    name: str
    package: str
    version: str
    files: dict[str, Path]
    sha256: dict[str, str]
    dimensions: int


def pinned(name: str) -> Pinned:
    """Return the entry ``name`` after checking size and SHA-256 of each of its files.

    Raises:
        DataFileError: a file is absent or differs from the pinned one.
        KeyError: the manifest has no such entry.
    """
    entry = _manifest()["models"][name]
    package, version = entry["package"], entry["version"]
    wanted = f"{package}=={version}, installed as requirements.lock pins it"
    folder = _folder(package)
    if folder is None:
        raise DataFileError("the package is not installed", f"data {name}", wanted, absent=True)
    files = {}
    for role, spec in entry["files"].items():
        path = folder / spec["path"]
        if not path.is_file():
            raise DataFileError("no such file", str(path), wanted, absent=True)
        size = path.stat().st_size
        if size != spec["size"]:
            raise DataFileError(f"{size} bytes, not {spec['size']}", str(path), wanted, False)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != spec["sha256"]:
            raise DataFileError(
                f"SHA-256 is {digest}, not {spec['sha256']}", str(path), wanted, absent=False
            )
        files[role] = path
    hashes = {role: spec["sha256"] for role, spec in entry["files"].items()}
    return Pinned(name, package, version, files, hashes, entry.get("dimensions", 0))


def _folder(package: str) -> Path | None:
    # importlib.util.find_spec would do, but for a regular package the first match on the path
    # is the answer, and this way nothing of the package can run.
    for entry in sys.path:
        folder = Path(entry or ".") / package
        if (folder / "__init__.py").is_file():
            return folder
    return None


@cache
def _manifest() -> dict[str, Any]:
    text = resources.files("agentcore.ml").joinpath("manifest.json").read_text("utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest
