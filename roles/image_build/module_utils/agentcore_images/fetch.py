"""Fetches wheels into the cache once, by pip and a lock file; later builds need no network."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from .context import Context
from .errors import BuildError
from .process import run
from .store import hash_file, key_of

# Debian 12 has glibc 2.36: wheels made for it or anything older run there.
NEWEST_GLIBC_MINOR = 36
OLDEST_GLIBC_MINOR = 5


def wheels_for(ctx: Context, lock: Path) -> list[Path]:
    """Return the wheels that ``lock`` pins, sorted by name; fetch what the cache lacks.

    Raises:
        BuildError: pip cannot get one, or a kept wheel is not what it was.
    """
    key = "wheels-" + key_of(hash_file(lock), ctx.machine, ctx.python_version)
    folder = ctx.cache / "wheels"
    known = ctx.store.recall(key)
    if not (known and all(_same(folder / name, digest) for name, digest in known.items())):
        for name, digest in (known or {}).items():
            if not _same(folder / name, digest):
                (folder / name).unlink(missing_ok=True)
        with ctx.step(f"wheels of {lock.name}"):
            known = _fetch(ctx, lock, folder)
        ctx.store.remember(key, known)
    return [folder / name for name in sorted(known)]


def _same(path: Path, digest: str) -> bool:
    return path.is_file() and hash_file(path) == digest


def _fetch(ctx: Context, lock: Path, folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as name:
        try:
            _pip(ctx, lock, folder, Path(name), ["--no-index"])
        except BuildError:
            _pip(ctx, lock, folder, Path(name), [])
        known = {}
        for path in sorted(Path(name).glob("*.whl")):
            known[path.name] = hash_file(path)
            shutil.move(path, folder / path.name)
    return known


def _pip(ctx: Context, lock: Path, folder: Path, target: Path, more: list[str]) -> None:
    tag = ctx.python_version.replace(".", "")
    platforms = [
        f"manylinux_2_{minor}" for minor in range(OLDEST_GLIBC_MINOR, NEWEST_GLIBC_MINOR + 1)
    ]
    platforms += ["manylinux1", "manylinux2010", "manylinux2014"]
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [
        f"--python-version={ctx.python_version}",
        f"--abi=cp{tag}",
        "--abi=abi3",
        "--abi=none",
    ]
    command += [f"--platform={name}_{ctx.machine}" for name in platforms]
    command += [f"--requirement={lock}", f"--find-links={folder}", f"--dest={target}", *more]
    log = ctx.cache / "logs" / f"pip-{lock.name}.log"
    run(command, log, ctx.timeout_seconds, ctx.say, env={**os.environ, "PYTHONWARNINGS": "ignore"})
