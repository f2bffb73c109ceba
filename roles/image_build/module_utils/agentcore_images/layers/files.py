"""``files``: single files, folders and links, written in the ``image.yml`` or beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..context import Context
from ..errors import BuildError
from ..place import Place
from ..recipe import LayerSpec
from ..store import hash_file
from ..tree import Node, Tree, clean, with_parents

KEYS = {"path", "source", "content", "type", "target", "mode", "owner"}
# Their mode is not 0755: a layer that puts something in them must say the folder itself.
SPECIAL = {"tmp", "root", "var/tmp", "run/lock"}


class Files:
    """Options: a list of ``{path, content | source | type: dir | target, mode, owner}``."""

    def inputs(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Any]:
        """The options, and the hash of each file named in them."""
        hashes = [hash_file(path) for path in self._named(ctx, place.folder, spec)]
        return [spec.options, hashes]

    def sources(self, folder: str, spec: LayerSpec) -> list[str]:
        """The image's own folder."""
        return [f"images/{folder}"]

    def title(self, spec: LayerSpec) -> str:
        """How many entries."""
        return f"files: {len(spec.options)}"

    def components(self, ctx: Context, spec: LayerSpec) -> list[str]:
        """Nothing from others."""
        return []

    def nodes(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Node]:
        """The entries, and the folders that lead to them."""
        tree: Tree = {}
        for entry in spec.options:
            node = self._node(ctx, place.folder, spec, entry)
            tree[node.path] = node
        for path in tree:
            parent = path.rpartition("/")[0]
            if parent in SPECIAL and parent not in tree:
                raise BuildError(spec.where, f"/{path} changes /{parent}", f"list /{parent} too")
        return with_parents(list(tree.values()))

    def _named(self, ctx: Context, folder: str, spec: LayerSpec) -> list[Path]:
        if not isinstance(spec.options, list):
            raise BuildError(spec.where, "files is not a list")
        return [
            self._source(ctx, folder, spec, entry)
            for entry in spec.options
            if isinstance(entry, dict) and "source" in entry
        ]

    def _source(self, ctx: Context, folder: str, spec: LayerSpec, entry: dict[str, Any]) -> Path:
        path = ctx.root / "images" / folder / str(entry["source"])
        if not path.is_file():
            raise BuildError(spec.where, f"source {entry['source']!r} is no file of the image")
        return path

    def _node(self, ctx: Context, folder: str, spec: LayerSpec, entry: Any) -> Node:
        if not isinstance(entry, dict) or not str(entry.get("path", "")).startswith("/"):
            raise BuildError(spec.where, f"{entry!r} has no absolute path")
        unknown = set(entry) - KEYS
        if unknown:
            raise BuildError(spec.where, f"unknown key {min(unknown)!r}", f"one of {sorted(KEYS)}")
        path = clean(str(entry["path"]))
        owner, _, group = str(entry.get("owner", "0:0")).partition(":")
        try:
            uid, gid = int(owner), int(group or owner)
            default = "0755" if entry.get("type") == "dir" else "0644"
            mode = int(str(entry.get("mode", default)), 8)
        except ValueError as error:
            raise BuildError(
                spec.where, f"/{path}: {error}", "owner UID:GID, mode in octal"
            ) from error
        if entry.get("type") == "dir":
            return Node(path, kind="dir", mode=mode, uid=uid, gid=gid)
        if "target" in entry:
            return Node(path, kind="symlink", mode=0o777, uid=uid, gid=gid, target=entry["target"])
        if "source" in entry:
            content = self._source(ctx, folder, spec, entry).read_bytes()
        else:
            content = str(entry.get("content", "")).encode()
        return Node(path, mode=mode, uid=uid, gid=gid, content=content)


KIND = Files()
