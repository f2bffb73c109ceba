"""Reads a release folder and writes another one beside it in which some images are different.

The format is that of the role image_build: release.json, and blobs under blobs/sha256/ named by
their hash.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/image_build/module_utils"))
from agentcore_images.release import release_id
from agentcore_images.store import canonical
from agentcore_images.tree import Node, read_tar, with_parents, write_layer

__all__ = [
    "Node",
    "Release",
    "ReleaseError",
    "canonical",
    "flip_byte",
    "read_tar",
    "with_parents",
    "write_layer",
]

FAULT_LABEL = "io.agentcore.fault"


class ReleaseError(Exception):
    """A release folder that can't be read, or lacks what a fault needs."""


class Release:
    """A release whose images can be changed before it is written elsewhere."""

    def __init__(self, folder: Path) -> None:
        """Reads release.json of the folder. Raises ReleaseError."""
        self.folder = folder
        self.new: dict[str, bytes | Path] = {}
        try:
            self.record: dict[str, Any] = json.loads((folder / "release.json").read_text())
            self.images: dict[str, Any] = copy.deepcopy(self.record["images"])
        except (OSError, ValueError, KeyError) as error:
            raise ReleaseError(f"{folder}/release.json is no release record ({error!r})") from error

    def image(self, key: str) -> dict[str, Any]:
        """An entry of the record. Raises ReleaseError if the release has no such image."""
        if key not in self.images:
            raise ReleaseError(f"{self.folder} has no image {key}, only {', '.join(self.images)}")
        entry: dict[str, Any] = self.images[key]
        return entry

    def blob(self, digest: str) -> Path | bytes:
        """Where the bytes of a blob are: new ones in memory or in a file, others in the folder."""
        return self.new.get(digest) or self.folder / "blobs" / "sha256" / digest.removeprefix(
            "sha256:"
        )

    def size(self, digest: str) -> int:
        """The number of bytes of a blob."""
        blob = self.blob(digest)
        return len(blob) if isinstance(blob, bytes) else blob.stat().st_size

    def config(self, key: str) -> dict[str, Any]:
        """The configuration of an image."""
        blob = self.blob(self.image(key)["id"])
        text = blob if isinstance(blob, bytes) else blob.read_bytes()
        config: dict[str, Any] = json.loads(text)
        return config

    def layer(self, key: str, index: int) -> dict[str, Node]:
        """The entries of one layer of an image."""
        blob = self.blob(self.image(key)["layers"][index])
        if isinstance(blob, bytes):
            raise ReleaseError(f"layer {index} of {key} was changed already")
        return read_tar(blob)

    def add_layer(self, key: str, nodes: list[Node]) -> str:
        """Writes a layer with the time of the image's other ones; answers its digest."""
        created = self.config(key)["created"]
        epoch = int(datetime.datetime.fromisoformat(created).timestamp())
        sink = _Bytes()
        digest, _ = write_layer(nodes, sink, epoch)  # type: ignore[arg-type]
        self.new[f"sha256:{digest}"] = bytes(sink.data)
        return f"sha256:{digest}"

    def replace(
        self,
        key: str,
        fault: str,
        layers: list[str] | None = None,
        history: list[str] | None = None,
        change: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        """Gives an image other layers or another configuration, and a label naming the fault."""
        config = self.config(key)
        if layers is not None:
            config["rootfs"]["diff_ids"] = layers
        if history is not None:
            config["history"] = [
                {"created": config["created"], "created_by": line} for line in history
            ]
        config["config"]["Labels"] = {**(config["config"].get("Labels") or {}), FAULT_LABEL: fault}
        if change is not None:
            change(config)
        data = canonical(config)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.new[digest] = data
        diff_ids = config["rootfs"]["diff_ids"]
        self.images[key] = {
            "ref": f"{self.images[key]['ref'].rpartition(':')[0]}:{digest[7:19]}",
            "id": digest,
            "layers": diff_ids,
            "size": len(data) + sum(self.size(layer) for layer in diff_ids),
        }

    def write(self, target: Path) -> str:
        """Writes the release to another folder and answers its id; unchanged blobs are linked.

        Only blobs that the new record names are there. The record comes last, so an interrupted
        write is no release.
        """
        if target.resolve() == self.folder.resolve():
            raise ReleaseError(f"{target} is the good release: name another folder")
        shutil.rmtree(target, ignore_errors=True)
        blobs = target / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for entry in self.images.values():
            for digest in (entry["id"], *entry["layers"]):
                place = blobs / digest.removeprefix("sha256:")
                blob = self.blob(digest)
                if place.exists():
                    continue
                if isinstance(blob, bytes):
                    place.write_bytes(blob)
                else:
                    link(blob, place)
        same = self.images == self.record["images"]
        name: str = self.record["id"] if same else release_id(self.record["version"], self.images)
        record = {**self.record, "id": name, "images": self.images}
        (target / "release.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
        return name


class _Bytes:
    """The least that a tar is written to."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        """Takes bytes in."""
        self.data += data
        return len(data)


def link(source: Path, target: Path) -> None:
    """A hard link where the file system has them, else a copy."""
    try:
        os.link(source, target)
    except FileNotFoundError as error:
        raise ReleaseError(f"{source} is missing: the release folder is not whole") from error
    except OSError:
        shutil.copyfile(source, target)


def flip_byte(path: Path, offset: int) -> None:
    """Turns every bit of one byte, in a new file: the old one may be a link to a good blob."""
    data = bytearray(path.read_bytes())
    if not -len(data) <= offset < len(data):
        raise ReleaseError(f"--offset is {offset}, but {path} has {len(data)} bytes")
    data[offset] ^= 0xFF
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(data)
    draft.replace(path)
