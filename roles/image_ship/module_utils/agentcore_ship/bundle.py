"""One file that holds a release, with the hash and size of everything in it.

``MANIFEST.sha256`` comes first, a line ``<sha256> <size> <name>`` for each other file, so a reader
knows what to expect of each byte before it reads it. Nothing is used before all of it is verified.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from . import release as releases
from .errors import ShipError

MANIFEST = "MANIFEST.sha256"
NAME = re.compile(r"release\.json|blobs/sha256/[0-9a-f]{64}|sbom/[a-z0-9-]+\.txt")
LINE = re.compile(r"([0-9a-f]{64}) ([0-9]+) (\S+)")
CHUNK = 1 << 20
MANIFEST_LIMIT = 1 << 20

Expected = dict[str, tuple[str, int]]


def bundle_name(release_id: str) -> str:
    """Return the file name of a release's bundle."""
    return f"agentcore-{release_id}.tar"


def pack(folder: Path, target: Path) -> bool:
    """Write the release in ``folder`` to ``target``; False if it already holds the same.

    The same release gives the same bytes.

    Raises:
        ShipError: the release lacks a blob, or a blob is not what its name says.
    """
    release = releases.read(folder)
    names = _names(release)
    expected = {name: _measure(folder / name) for name in names}
    for name, (digest, _) in expected.items():
        if name.startswith("blobs/") and name.rpartition("/")[2] != digest:
            raise ShipError(str(folder / name), f"is damaged: its hash is {digest}", "build again")
    text = "".join(f"{digest} {size} {name}\n" for name, (digest, size) in expected.items())
    if _holds(target, text):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, MANIFEST, text.encode("ascii"))
            for name in names:
                info = tarfile.TarInfo(name)
                info.size, info.mode = expected[name][1], 0o644
                with (folder / name).open("rb") as source:
                    archive.addfile(info, source)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return True


def open_bundle(bundle: Path, folder: Path) -> tuple[str, bool]:
    """Verify a bundle and put its release into ``folder``; return (release id, changed).

    Raises:
        ShipError: the bundle is damaged or is none; ``folder`` is then as it was.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}.opening")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        expected = _extract(bundle, part)
        release = releases.read(part)
        lacking = set(_names(release)) - set(expected)
        if lacking:
            raise ShipError(str(bundle), f"lacks {min(lacking)}", "a bundle made by make bundle")
        if _same(folder, expected):
            return release.id, False
        _swap(part, folder)
        return release.id, True
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _names(release: releases.Release) -> list[str]:
    digests = {d for one in release.images.values() for d in (one.id, *one.layers)}
    blobs = sorted(f"blobs/sha256/{digest.partition(':')[2]}" for digest in digests)
    lists = sorted(f"sbom/{key}.txt" for key in release.images
                   if (release.folder / "sbom" / f"{key}.txt").is_file())  # fmt: skip
    return [releases.RECORD, *lists, *blobs]


def _measure(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as source:
            while True:
                piece = source.read(CHUNK)
                if not piece:
                    return digest.hexdigest(), size
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise ShipError(str(path), f"cannot be read: {error.strerror}", "build again") from error


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    archive.addfile(info, io.BytesIO(data))


def _holds(target: Path, manifest: str) -> bool:
    """Tell whether a bundle is there with this manifest and of the right size."""
    try:
        with tarfile.open(target, "r:") as archive:
            first = archive.next()
            stream = archive.extractfile(first) if first is not None else None
            whole = sum(1 for _ in archive) == manifest.count("\n") + 1
            return whole and stream is not None and stream.read() == manifest.encode("ascii")
    except (OSError, tarfile.TarError):
        return False


@contextlib.contextmanager
def _damage(bundle: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise ShipError(str(bundle), f"is damaged or no bundle: {error}") from error
    except OSError as error:
        raise ShipError(str(bundle), f"cannot be read: {error.strerror or error}") from error


def _extract(bundle: Path, part: Path) -> Expected:
    with _damage(bundle), tarfile.open(bundle, "r:") as archive:
        members = iter(archive)
        first = next(members, None)
        if first is None or first.name != MANIFEST or first.size > MANIFEST_LIMIT:
            raise ShipError(str(bundle), "is no bundle", f"{MANIFEST} as its first file")
        stream = archive.extractfile(first)
        expected = _parse(bundle, stream.read() if stream else b"")
        seen = set()
        for member in members:
            if member.name not in expected or not member.isfile() or member.name in seen:
                raise ShipError(
                    str(bundle), f"holds {member.name!r}, which {MANIFEST} does not list"
                )
            source = archive.extractfile(member)
            if source is None:
                raise ShipError(str(bundle), f"{member.name} cannot be read")
            _copy(bundle, member.name, source, part / member.name, expected[member.name])
            seen.add(member.name)
    missing = set(expected) - seen
    if missing:
        raise ShipError(str(bundle), f"ends too early: {min(missing)} is missing", "copy it again")
    return expected


def _parse(bundle: Path, text: bytes) -> Expected:
    expected: Expected = {}
    for number, line in enumerate(text.decode("ascii", "replace").splitlines(), 1):
        found = LINE.fullmatch(line)
        if found is None or not NAME.fullmatch(found.group(3)):
            raise ShipError(f"{bundle}: {MANIFEST}", f"line {number} is damaged", "HASH SIZE NAME")
        expected[found.group(3)] = (found.group(1), int(found.group(2)))
    return expected


def _copy(
    bundle: Path, name: str, source: IO[bytes], target: Path, expected: tuple[str, int]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    with target.open("wb") as sink:
        while True:
            piece = source.read(CHUNK)
            if not piece:
                break
            digest.update(piece)
            size += len(piece)
            sink.write(piece)
    if (digest.hexdigest(), size) != expected:
        raise ShipError(
            str(bundle),
            f"{name} is damaged: its sha256 is {digest.hexdigest()} ({size} bytes)",
            f"expected {expected[0]} ({expected[1]} bytes); copy the bundle again",
        )


def _same(folder: Path, expected: Expected) -> bool:
    try:
        return all(_measure(folder / name) == known for name, known in expected.items())
    except ShipError:
        return False


def _swap(part: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
