"""Which images a host keeps: those of its last releases, and always the fallback."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .release import FALLBACK

PREFIX = "agentcore/"


def read(path: str) -> list[dict[str, Any]]:
    """Return the releases that a host was sent, ``{"id", "refs"}`` each, the newest last."""
    try:
        shipped = json.loads(Path(path).read_text(encoding="utf-8"))["shipped"]
        return [{"id": str(one["id"]), "refs": [str(r) for r in one["refs"]]} for one in shipped]
    except (OSError, KeyError, TypeError, ValueError):
        return []  # a lost list only means that less is removed


def noted(shipped: list[dict[str, Any]], release: str, refs: list[str]) -> list[dict[str, Any]]:
    """Return the list with this release as the newest, and these images among its own."""
    known = {ref for one in shipped if one["id"] == release for ref in one["refs"]}
    rest = [one for one in shipped if one["id"] != release]
    return [*rest, {"id": release, "refs": sorted(known | set(refs))}]


def write(path: str, shipped: list[dict[str, Any]]) -> None:
    """Write the list at once, so that no reader sees half of it."""
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".shipped-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"shipped": shipped}, file, indent=2)
            file.write("\n")
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def removable(
    images: list[dict[str, Any]],
    shipped: list[dict[str, Any]],
    keep_releases: int,
    keep_refs: list[str],
    used: set[str],
) -> list[str]:
    """Return the names of our images that may go, from what the engine has.

    Kept are those of the newest ``keep_releases``, those named, those of containers, and the
    fallback of the newest release that has one.
    """
    kept = set(keep_refs)
    for one in shipped[-keep_releases:]:
        kept.update(one["refs"])
    fallbacks = [r for one in shipped for r in one["refs"] if r.startswith(f"{PREFIX}{FALLBACK}:")]
    kept.update(fallbacks[-1:])
    return sorted(
        tag
        for image in images
        for tag in image["tags"]
        if tag.startswith(PREFIX) and tag not in kept and image["id"] not in used
    )
