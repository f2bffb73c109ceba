"""Writes images as the engine's own archive, leaving out the layers that a host has.

The format: the image specification's "docker save" layout with ``manifest.json``. An engine whose
layer store has a chain does not read the layer's file, so a thin archive may lack it; an engine on
containerd's store wants every blob, and gets a full one.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ShipError
from .release import Image, Release

CHUNK = 1 << 20
BLOCK = 512
GZIP_WINDOW = 31  # a gzip header without a time, so the same bytes each time
FASTEST = 1


@dataclass(frozen=True)
class Member:
    """One file of an archive: its name, its digest (``sha256:<hex>``), its size, where it is."""

    name: str
    digest: str
    size: int
    path: str


@dataclass(frozen=True)
class Shipment:
    """What one host lacks."""

    images: tuple[Image, ...]
    layers: tuple[str, ...]
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """The bytes of the layers and configurations."""
        return sum(member.size for member in self.members)

    def manifest(self) -> list[dict[str, Any]]:
        """Return the archive's ``manifest.json``."""
        return [
            {
                "Config": config_name(image.id),
                "RepoTags": [image.ref],
                "Layers": [layer_name(digest) for digest in image.layers],
            }
            for image in self.images
        ]


def config_name(digest: str) -> str:
    """Return the archive's name for an image's configuration."""
    return f"{digest.partition(':')[2]}.json"


def layer_name(digest: str) -> str:
    """Return the archive's name for a layer."""
    return f"{digest.partition(':')[2]}/layer.tar"


def compose(
    release: Release, images: Iterable[Image], chains: set[tuple[str, ...]], full: bool = False
) -> Shipment:
    """Return what brings ``images`` to a host that has the layer ``chains``.

    A chain is all layers from the lowest up to one: a layer that lies on others is another chain.
    """
    images = tuple(images)
    have = set() if full else set(chains)
    layers: dict[str, None] = {}
    for image in images:
        for count in range(1, len(image.layers) + 1):
            chain = image.layers[:count]
            if chain not in have:
                layers[chain[-1]] = None
                have.add(chain)
    members = [
        Member(config_name(one.id), one.id, release.size(one.id), str(release.blob(one.id)))
        for one in images
    ]
    members += [
        Member(layer_name(one), one, release.size(one), str(release.blob(one))) for one in layers
    ]
    return Shipment(images, tuple(layers), tuple(members))


def chains_of(layers: Iterable[Iterable[str]]) -> set[tuple[str, ...]]:
    """Return every chain of some images, each given by its layers."""
    return {
        tuple(one)[:count] for one in map(tuple, layers) for count in range(1, len(tuple(one)) + 1)
    }


def stream(manifest: list[dict[str, Any]], members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the archive's bytes; each blob is checked against its digest as it passes.

    Raises:
        ShipError: a blob is not what its name says. What was yielded before is then useless.
    """
    text = json.dumps(manifest, sort_keys=True).encode("ascii")
    yield from _entry("manifest.json", len(text), [text])
    for member in members:
        yield from _entry(member.name, member.size, _checked(member))
    yield b"\0" * (2 * BLOCK)


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield ``pieces`` gzip-compressed, fast rather than small; engines unpack it themselves."""
    packer = zlib.compressobj(FASTEST, zlib.DEFLATED, GZIP_WINDOW)
    for piece in pieces:
        out = packer.compress(piece)
        if out:
            yield out
    yield packer.flush()


def _entry(name: str, size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    yield info.tobuf(tarfile.USTAR_FORMAT)
    yield from pieces
    yield b"\0" * (-size % BLOCK)


def _checked(member: Member) -> Iterator[bytes]:
    digest = hashlib.sha256()
    count = 0
    with Path(member.path).open("rb") as source:
        while True:
            piece = source.read(CHUNK)
            if not piece:
                break
            digest.update(piece)
            count += len(piece)
            yield piece
    found = f"sha256:{digest.hexdigest()}"
    if found != member.digest or count != member.size:
        raise ShipError(
            member.path, f"is damaged: its hash is {found}", f"expected {member.digest}"
        )
