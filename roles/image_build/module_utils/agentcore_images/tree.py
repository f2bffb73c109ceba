"""Files as an image sees them: path, owner, mode, and where the bytes are."""

from __future__ import annotations

import hashlib
import io
import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

CHUNK = 1 << 20


@dataclass(frozen=True)
class Slice:
    """A range of a file: how a member of an uncompressed tar is read without unpacking it."""

    file: Path
    offset: int
    size: int


@dataclass(frozen=True)
class Node:
    """One entry of a layer. ``path`` has neither a leading nor a trailing slash.

    ``kind`` is ``file``, ``dir``, ``symlink`` or ``whiteout``. Files of one ``link_group`` are the
    same file (hard links); devices, sockets and pipes have no place in an image.
    """

    path: str
    kind: str = "file"
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    content: bytes | Slice = b""
    link_group: str = ""
    xattrs: tuple[tuple[str, str], ...] = field(default=())

    @property
    def size(self) -> int:
        """The number of bytes of a file; 0 for all else."""
        if self.kind != "file":
            return 0
        return self.content.size if isinstance(self.content, Slice) else len(self.content)

    def read(self) -> bytes:
        """Return the whole content of a file."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Yield the content of a file in pieces of at most 1 MiB."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.file.open("rb") as stream:
            stream.seek(self.content.offset)
            left = self.content.size
            while left > 0:
                piece = stream.read(min(CHUNK, left))
                if not piece:
                    raise OSError(f"{self.content.file}: shorter than it was a moment ago")
                left -= len(piece)
                yield piece

    def digest(self) -> str:
        """Return a hash of what the node is; equal digests mean equal entries."""
        meta = f"{self.kind}\0{self.mode:o}\0{self.uid}:{self.gid}\0{self.target}\0{self.xattrs}\0"
        digest = hashlib.sha256(meta.encode())
        if self.kind == "file":
            for piece in self.chunks():
                digest.update(piece)
        return digest.hexdigest()


Tree = dict[str, Node]


def clean(path: str) -> str:
    """Return a member's name without ``./``, leading or trailing slashes; ``""`` is the root."""
    name = posixpath.normpath(path).lstrip("/")
    return "" if name == "." else name


def read_tar(path: Path) -> Tree:
    """Return the entries of an uncompressed tar; contents stay in the tar until they are read."""
    tree: Tree = {}
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            node = _from_member(path, member, tree)
            if node is not None:
                tree[node.path] = node
    return tree


def _from_member(path: Path, member: tarfile.TarInfo, tree: Tree) -> Node | None:
    name = clean(member.name)
    if not name:
        return None
    xattrs = tuple(
        sorted(
            (k, v) for k, v in member.pax_headers.items() if k.startswith("SCHILY.xattr.security")
        )
    )
    base = Node(name, mode=member.mode & 0o7777, uid=member.uid, gid=member.gid, xattrs=xattrs)
    if member.isfile():
        return replace(base, content=Slice(path, member.offset_data, member.size))
    if member.isdir():
        return replace(base, kind="dir")
    if member.issym():
        return replace(base, kind="symlink", target=member.linkname, mode=0o777)
    if member.islnk():
        first = tree[clean(member.linkname)]
        group = first.link_group or first.path
        tree[first.path] = replace(first, link_group=group)
        return replace(first, path=name, link_group=group)
    return None  # devices come from the engine at run time, never from an image


def difference(lower: Tree, upper: Tree) -> list[Node]:
    """Return the layer that turns ``lower`` into ``upper``: added, changed, and whiteouts."""
    changed: list[Node] = []
    for path, node in upper.items():
        old = lower.get(path)
        # Sizes first: they tell most differences without reading a byte.
        if old is None or old.size != node.size or old.digest() != node.digest():
            changed.append(node)
    gone = {path for path in lower if path not in upper}
    for path in gone:
        parent, _, name = path.rpartition("/")
        if parent not in gone:  # one whiteout takes the whole subtree away
            changed.append(Node(f"{parent}/.wh.{name}".lstrip("/"), kind="whiteout"))
    return with_parents(changed, upper)


def with_parents(nodes: list[Node], known: Tree | None = None) -> list[Node]:
    """Add the directories that lead to ``nodes``.

    An overlay takes a directory's owner and mode from the upper layer, so a layer must say them
    again: as in ``known`` where the lower tree has them, else root's with mode 0755.
    """
    have = {node.path: node for node in nodes}
    for node in nodes:
        parent = node.path.rpartition("/")[0]
        while parent and parent not in have:
            seen = (known or {}).get(parent)
            have[parent] = seen if seen is not None else Node(parent, kind="dir", mode=0o755)
            parent = parent.rpartition("/")[0]
    return sorted(have.values(), key=lambda n: n.path)


class Hashing:
    """A writer that hashes and counts what passes through to ``sink``."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.sha256 = hashlib.sha256()
        self.count = 0

    def write(self, data: bytes) -> int:
        """Pass ``data`` on."""
        self.sha256.update(data)
        self.count += len(data)
        return self._sink.write(data)

    def tell(self) -> int:
        """Return how many bytes have passed."""
        return self.count


def write_layer(nodes: list[Node], sink: BinaryIO, epoch: int) -> tuple[str, int]:
    """Write ``nodes`` as a tar and return its (sha256 hex, size).

    Same nodes, same bytes: sorted by path, one time for all, no user names, and no extended
    headers but for names that the plain format cannot hold.
    """
    out = Hashing(sink)
    written: dict[str, str] = {}
    with tarfile.open(
        fileobj=cast("BinaryIO", out), mode="w", format=tarfile.PAX_FORMAT
    ) as archive:
        for node in sorted(nodes, key=lambda n: n.path):
            info = tarfile.TarInfo(node.path)
            info.mtime = epoch
            info.mode, info.uid, info.gid = node.mode, node.uid, node.gid
            info.pax_headers = dict(node.xattrs)
            if node.kind == "dir":
                info.type = tarfile.DIRTYPE
            elif node.kind == "symlink":
                info.type, info.linkname = tarfile.SYMTYPE, node.target
            elif node.kind == "file" and node.link_group in written:
                info.type, info.linkname = tarfile.LNKTYPE, written[node.link_group]
            elif node.kind == "file":
                if node.link_group:
                    written[node.link_group] = node.path
                info.size = node.size
                archive.addfile(info, _Pieces(node.chunks()))
                continue
            archive.addfile(info)
    return out.sha256.hexdigest(), out.count


class _Pieces(io.RawIOBase):
    """A reader over pieces of bytes, as tarfile wants one."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        cut = len(self._rest) if size < 0 else size
        out, self._rest = self._rest[:cut], self._rest[cut:]
        return out
