"""A base image from the engine instead of Debian packages: its layers are taken as they are."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .context import Context
from .errors import BuildError
from .store import Blob, key_of, replacing
from .tree import CHUNK, Hashing, Tree, read_tar

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Foreign:
    """A base image as taken in: its layers, from the lowest, and its environment."""

    layers: tuple[Blob, ...]
    env: dict[str, str]


def image_id(ctx: Context, name: str) -> str:
    """Return the id of a local image.

    Raises:
        BuildError: the engine does not have it. It is never pulled: what is built from is named
            and fetched by the operator.
    """
    command = [ctx.docker, "image", "inspect", "--format={{.Id}}", name]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(
            ctx.docker, f"cannot be asked for the base image {name}: {error}"
        ) from error
    if answer.returncode != 0:
        raise BuildError(
            name,
            "the engine of the control host has no such image",
            f"pull or load it first, or unset image_build_base_image ({answer.stderr.strip()})",
        )
    return answer.stdout.strip()


def take(ctx: Context, name: str) -> Foreign:
    """Return a base image's layers as blobs of the store, saved from the engine once."""
    key = "foreign-" + key_of(image_id(ctx, name))
    known = ctx.store.recall(key)
    if known:
        layers = tuple(Blob(**one) for one in known["layers"])
        if all(ctx.store.has(blob) for blob in layers):
            return Foreign(layers, known["env"])
    with ctx.step(f"base image {name}"):
        found = _save(ctx, name)
    ctx.store.remember(key, {"layers": [vars(blob) for blob in found.layers], "env": found.env})
    return found


def _save(ctx: Context, name: str) -> Foreign:
    with tempfile.TemporaryDirectory(prefix="foreign-", dir=_folder(ctx)) as scratch:
        archive = Path(scratch, "image.tar")
        command = [ctx.docker, "save", "--output", str(archive), name]
        try:
            subprocess.run(
                command, capture_output=True, text=True, timeout=ctx.timeout_seconds, check=True
            )
        except subprocess.SubprocessError as error:
            raise BuildError(name, f"cannot be saved: {error}") from error
        with tarfile.open(archive, "r:") as tar:
            manifest = json.loads(_member(tar, "manifest.json").read())[0]
            config: dict[str, Any] = json.loads(_member(tar, manifest["Config"]).read())
            layers = tuple(_add(ctx, _member(tar, path)) for path in manifest["Layers"])
    expected = config["rootfs"]["diff_ids"]
    if [blob.digest for blob in layers] != expected:
        raise BuildError(name, "its layers are not those its configuration names")
    env = dict(one.split("=", 1) for one in config.get("config", {}).get("Env") or [])
    return Foreign(layers, env)


def _member(tar: tarfile.TarFile, name: str) -> BinaryIO:
    stream = tar.extractfile(name)
    if stream is None:
        raise BuildError(name, "is no file of the saved image")
    return stream  # type: ignore[return-value]


def _add(ctx: Context, stream: BinaryIO) -> Blob:
    packed = stream.read(2) == GZIP_MAGIC
    stream.seek(0)
    source = gzip.GzipFile(fileobj=stream) if packed else stream
    part = _folder(ctx) / "layer.part"
    with part.open("wb") as sink:
        out = Hashing(sink)
        while piece := source.read(CHUNK):
            out.write(piece)
    blob = Blob(f"sha256:{out.sha256.hexdigest()}", out.count)
    with replacing(ctx.store.path(blob)) as final:
        shutil.move(part, final)
    return blob


def foreign_tree(ctx: Context, name: str) -> Tree:
    """Return the files of a base image, its layers laid over each other."""
    tree: Tree = {}
    for blob in take(ctx, name).layers:
        for path, node in read_tar(ctx.store.path(blob)).items():
            parent, _, base = path.rpartition("/")
            if base == ".wh..wh..opq":
                _remove(tree, parent, keep_top=True)
            elif base.startswith(".wh."):
                _remove(tree, f"{parent}/{base[4:]}".lstrip("/"), keep_top=False)
            else:
                tree[path] = node
    return tree


def _remove(tree: Tree, path: str, keep_top: bool) -> None:
    for one in [p for p in tree if p.startswith(f"{path}/") or (p == path and not keep_top)]:
        del tree[one]


def check_programs(ctx: Context, name: str, programs: tuple[str, ...], key: str) -> None:
    """Make sure that a base image has the programs that an image needs.

    Raises:
        BuildError: one is missing.
    """
    names = {path.rpartition("/")[2] for path in foreign_tree(ctx, name) if "bin/" in path}
    missing = [program for program in programs if program not in names]
    if missing:
        raise BuildError(
            f"images/{key}",
            f"the base image {name} has no {', '.join(missing)}",
            "name another in image_build_base_images, or leave it out for Debian packages",
        )


def _folder(ctx: Context) -> Path:
    folder = ctx.cache / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
