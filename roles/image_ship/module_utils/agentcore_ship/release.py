"""Reads a release folder: the record of its images and the blobs beside it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ShipError

SCHEMA = 1
RECORD = "release.json"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# The image that can stand in for every other one: no host is ever without it.
FALLBACK = "agentcore-python"


@dataclass(frozen=True)
class Image:
    """One image of a release. ``layers`` are diff ids from the lowest; ``id`` is the config's."""

    key: str
    ref: str
    id: str
    layers: tuple[str, ...]
    size: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for a module's arguments."""
        return {"key": self.key, "ref": self.ref, "id": self.id, "layers": list(self.layers)}


@dataclass(frozen=True)
class Release:
    """A release in a folder."""

    folder: Path
    id: str
    images: dict[str, Image]

    def blob(self, digest: str) -> Path:
        """Return the path of a blob; ``digest`` is ``sha256:<hex>``."""
        return self.folder / "blobs" / "sha256" / digest.partition(":")[2]

    def size(self, digest: str) -> int:
        """Return the size of a blob in bytes.

        Raises:
            ShipError: the blob is not there.
        """
        try:
            return self.blob(digest).stat().st_size
        except OSError as error:
            raise ShipError(
                str(self.blob(digest)), "is missing from the release", "build or open it again"
            ) from error

    def select(self, keys: list[str]) -> list[Image]:
        """Return the images named by ``keys`` (all if empty), the fallback always first.

        Raises:
            ShipError: the release has no such image.
        """
        wanted = list(dict.fromkeys([FALLBACK, *(keys or self.images)]))
        for key in wanted:
            if key not in self.images:
                raise ShipError(
                    f"release {self.id}",
                    f"has no image {key!r}",
                    f"it has: {', '.join(sorted(self.images))}",
                )
        return [self.images[key] for key in wanted]


def release_id(version: str, images: dict[str, Any]) -> str:
    """Return the id of a release: the version, and 8 digits of a hash over the images' ids."""
    text = "".join(f"{key} {images[key]['id']}\n" for key in sorted(images))
    return f"{version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def read(folder: Path) -> Release:
    """Return the release in ``folder``.

    Raises:
        ShipError: there is no record, it is malformed, or its id is not that of its images.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ShipError(
            str(path), f"cannot be read: {error.strerror}", "build a release or open a bundle first"
        ) from error
    except ValueError as error:
        raise ShipError(str(path), f"is not JSON: {error}") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise ShipError(str(path), "is no release record", f"schema {SCHEMA}")
    try:
        images = {
            key: Image(key, one["ref"], one["id"], tuple(one["layers"]), int(one["size"]))
            for key, one in record["images"].items()
        }
        expected = release_id(record["version"], record["images"])
        found = str(record["id"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ShipError(str(path), f"is malformed: {error!r}") from error
    for image in images.values():
        for digest in (image.id, *image.layers):
            if not DIGEST.fullmatch(digest):
                raise ShipError(str(path), f"{image.key}: {digest!r} is no digest", "sha256:<hex>")
    if found != expected:
        raise ShipError(str(path), f"says it is {found}, but its images make {expected}")
    return Release(folder, found, images)
