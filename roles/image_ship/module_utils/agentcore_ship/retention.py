"""Which images a host keeps: those of its last releases, and always the fallback."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import ShipError
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


def named_in(paths: list[str]) -> set[str]:
    """Return every name of an image of ours that stands in these JSON files, or in those of these folders.

    What a rollback may go back to is written there. A file that is not there names nothing.

    Raises:
        ShipError: a file cannot be read, so nobody knows what may go.
    """
    files = [
        file
        for path in map(Path, paths)
        for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])
        if file.exists()
    ]
    names: set[str] = set()
    for file in files:
        try:
            _collect(json.loads(file.read_text(encoding="utf-8")), names)
        except (OSError, ValueError) as error:
            raise ShipError(
                str(file), f"cannot be read ({error})", "move it away to ship without it"
            ) from None
    return names


def _collect(node: Any, names: set[str]) -> None:
    if isinstance(node, str) and node.startswith(PREFIX):
        names.add(node)
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _collect(part, names)


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
