"""Writes a release: one record of its images, and beside it every blob that they are made of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .context import Context
from .image import Image
from .store import Blob, link, replacing

SCHEMA = 1
RECORD = "release.json"
PREVIOUS = "release.previous.json"


def release_id(version: str, images: dict[str, dict[str, Any]]) -> str:
    """Return the release's id: its version, and 8 digits of a hash over the images' ids."""
    text = "".join(f"{key} {images[key]['id']}\n" for key in sorted(images))
    return f"{version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def record_of(ctx: Context, images: list[Image]) -> dict[str, Any]:
    """Return the record of a release that holds ``images``."""
    entries = {image.recipe.key: image.record() for image in images}
    return {
        "schema": SCHEMA,
        "id": release_id(ctx.version, entries),
        "version": ctx.version,
        "revision": ctx.revision(["images", "python", "rust", "VERSION"]),
        "native": "agentcore-native" in entries,
        "images": entries,
    }


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record in ``folder``, or None if there is none that can be read."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return None
    return record if record.get("schema") == SCHEMA else None


def write(ctx: Context, images: list[Image]) -> tuple[dict[str, Any], bool]:
    """Write the release and return its record and whether anything changed.

    Blobs first, the record last and at once: whoever reads a record finds its blobs. The blobs of
    the release before stay until the next one, for a deploy that is still sending them.
    """
    folder = ctx.release_dir
    record = record_of(ctx, images)
    before = read_record(folder)
    blobs = {blob.hex: blob for image in images for blob in (image.config, *image.layers)}
    lacking = [blob for blob in blobs.values() if not _has(folder, blob)]
    for blob in lacking:
        link(ctx.store.path(blob), blob_path(folder, blob.hex))
    for image in images:
        _write_if_new(
            folder / "sbom" / f"{image.recipe.key}.txt", "\n".join(image.components) + "\n"
        )
    if before == record and not lacking:
        return record, False
    if before is not None and before["id"] != record["id"]:
        _write_if_new(folder / PREVIOUS, _text(before))
    _write_if_new(folder / RECORD, _text(record))
    _sweep(folder, set(blobs) | _blobs_of(folder / PREVIOUS))
    return record, True


def blob_path(folder: Path, digest: str) -> Path:
    """Return where a release keeps the blob with this hash (hex)."""
    return folder / "blobs" / "sha256" / digest


def _has(folder: Path, blob: Blob) -> bool:
    try:
        return blob_path(folder, blob.hex).stat().st_size == blob.size
    except OSError:
        return False


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def _write_if_new(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != text:
        with replacing(path) as part:
            part.write_text(text, "utf-8")


def _blobs_of(path: Path) -> set[str]:
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return set()
    named = [digest for one in record["images"].values() for digest in (one["id"], *one["layers"])]
    return {digest.partition(":")[2] for digest in named}


def _sweep(folder: Path, keep: set[str]) -> None:
    for path in (folder / "blobs" / "sha256").iterdir():
        if path.name not in keep:
            path.unlink()
