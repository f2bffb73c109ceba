"""Where built things are kept: blobs by their hash, and remembered results by their inputs' hash.

Every write goes to a temporary name and is renamed, so an interrupted build leaves nothing that
a later one would trust.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BuildError
from .tree import CHUNK, Node, write_layer

UNUSED_FOR_SECONDS = 14 * 24 * 3600


@dataclass(frozen=True)
class Blob:
    """Bytes known by their hash: ``digest`` is ``sha256:<hex>``, ``size`` in bytes."""

    digest: str
    size: int

    @property
    def hex(self) -> str:
        """The hash without its algorithm."""
        return self.digest.partition(":")[2]


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def key_of(*parts: object) -> str:
    """Return a short hash of inputs, as the name under which a result is remembered."""
    return hashlib.sha256(canonical(parts)).hexdigest()[:32]


def hash_file(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it to ``path`` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


class Store:
    """A folder of blobs and of remembered results."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs" / "sha256"
        self._results = root / "results"

    def path(self, blob: Blob) -> Path:
        """Return where a blob's bytes are."""
        return self._blobs / blob.hex

    def has(self, blob: Blob) -> bool:
        """Tell whether a blob is here in its full size."""
        try:
            return self.path(blob).stat().st_size == blob.size
        except OSError:
            return False

    def add_bytes(self, data: bytes) -> Blob:
        """Keep ``data`` and return its blob."""
        blob = Blob(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))
        if not self.has(blob):
            with replacing(self.path(blob)) as part:
                part.write_bytes(data)
        return blob

    def add_layer(self, nodes: list[Node], epoch: int) -> Blob:
        """Write ``nodes`` as a layer and return its blob."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        part = self._blobs / f".layer.{os.getpid()}.part"
        try:
            with part.open("wb") as sink:
                digest, size = write_layer(nodes, sink, epoch)
            blob = Blob(f"sha256:{digest}", size)
            part.replace(self.path(blob))
            return blob
        finally:
            part.unlink(missing_ok=True)

    def recall(self, key: str) -> Any:
        """Return what was remembered under ``key``, or None. It counts as a use."""
        path = self._results / f"{key}.json"
        try:
            value = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        path.touch()
        return value

    def remember(self, key: str, value: object) -> None:
        """Remember a JSON value under ``key``."""
        with replacing(self._results / f"{key}.json") as part:
            part.write_bytes(canonical(value))

    def prune(self, in_use: set[str], now: float | None = None) -> None:
        """Forget results that no build has used for 14 days, and blobs nothing remembers."""
        moment = time.time() if now is None else now
        named = set(in_use)
        for path in self._results.glob("*.json"):
            if moment - path.stat().st_mtime > UNUSED_FOR_SECONDS:
                path.unlink()
                continue
            value = json.loads(path.read_bytes())
            if isinstance(value, dict) and "digest" in value:
                named.add(str(value["digest"]).partition(":")[2])
        for path in self._blobs.glob("*"):
            if path.name not in named and moment - path.stat().st_mtime > UNUSED_FOR_SECONDS:
                path.unlink()


def link(source: Path, target: Path) -> None:
    """Put ``source`` at ``target`` without copying if the file system allows it."""
    with replacing(target) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)


def require(path: Path, what: str) -> Path:
    """Return ``path`` if it exists, else say what is missing."""
    if not path.exists():
        raise BuildError(str(path), f"{what} is missing")
    return path
