"""Python bytecode made by the image's own interpreter, so that no start in a container compiles.

The interpreter is started through the image's own loader: no chroot, no root, and the same
bytes from every control host whatever Python it has. Files are marked unchecked-hash: valid
without a look at the source's time, which is the same for all files of an image.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .context import Context
from .errors import BuildError
from .place import Place
from .store import key_of, replacing
from .tree import Node, Tree

CHILD = Path(__file__).with_name("bytecode_child.py")
LIBRARY_FOLDERS = ("lib64", "lib", "usr/lib64", "usr/lib")
LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}


@dataclass(frozen=True)
class Interpreter:
    """How to start the image's Python: a command, and its environment."""

    command: tuple[str, ...]
    env: dict[str, str]


def with_bytecode(ctx: Context, place: Place, nodes: list[Node]) -> list[Node]:
    """Return ``nodes`` and, for each Python file among them, its bytecode.

    A file that this Python cannot compile (a template, another version's syntax) has none.
    """
    sources = [node for node in nodes if node.kind == "file" and node.path.endswith(".py")]
    python = interpreter(ctx, place)
    made: list[Node] = []
    with tempfile.TemporaryDirectory(prefix="bytecode-", dir=_scratch(ctx)) as name:
        stage = Path(name)
        for node in sources:
            target = stage / node.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(node.read())
        _compile(ctx, python, stage, [node.path for node in sources])
        for path in sorted(stage.rglob("*.pyc")):
            relative = path.relative_to(stage).as_posix()
            made.append(Node(relative, content=path.read_bytes()))
    folders = {node.path.rpartition("/")[0] for node in made}
    return [*nodes, *made, *(Node(folder, kind="dir", mode=0o755) for folder in sorted(folders))]


def _compile(ctx: Context, python: Interpreter, stage: Path, paths: list[str]) -> None:
    command = [*python.command, "-S", "-B", str(CHILD), str(stage)]
    try:
        answer = subprocess.run(
            command,
            input="\n".join(sorted(paths)),
            capture_output=True,
            text=True,
            env=python.env,
            timeout=ctx.timeout_seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(command[0], f"the image's Python cannot compile: {error}") from error
    if answer.returncode != 0:
        raise BuildError(command[0], f"the image's Python cannot compile: {answer.stderr[-500:]}")


def interpreter(ctx: Context, place: Place) -> Interpreter:
    """Return the Python of the image below ``place``, unpacked beside the cache.

    Raises:
        BuildError: the image has no Python of the version asked for.
    """
    from .foreign import foreign_tree
    from .layers.debian import rootfs_of

    if place.foreign:
        key = key_of("foreign", place.foreign)
        tree = None
    else:
        rootfs = rootfs_of(ctx, place.lower)
        key, tree = rootfs.key, None
    root = ctx.cache / "interpreters" / key
    if not root.is_dir():
        tree = foreign_tree(ctx, place.foreign) if place.foreign else rootfs.tree(ctx)
        with replacing(root) as part:
            shutil.rmtree(part, ignore_errors=True)
            _unpack(tree, part, ctx)
    return _found(ctx, root)


def _unpack(tree: Tree, root: Path, ctx: Context) -> None:
    triplet = f"{ctx.machine}-linux-gnu"
    wanted = ("usr/bin/python3", "usr/local/", "usr/lib/python3", f"usr/lib/{triplet}/",
              f"lib/{triplet}/", "usr/lib64/", "lib64", "lib")  # fmt: skip
    root.mkdir(parents=True)
    for path, node in tree.items():
        if not path.startswith(wanted):
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if node.kind == "dir":
            target.mkdir(exist_ok=True)
        elif node.kind == "symlink":
            # A link to an absolute path means a path of the image, not one of this host.
            inside = node.target.startswith("/")
            target.symlink_to(os.path.relpath(root / node.target.lstrip("/"), target.parent)
                              if inside else node.target)  # fmt: skip
        elif node.kind == "file":
            with target.open("wb") as sink:
                for piece in node.chunks():
                    sink.write(piece)
            target.chmod(0o755)


def _found(ctx: Context, root: Path) -> Interpreter:
    loaders = [root / lib / LOADERS[ctx.machine] for lib in LIBRARY_FOLDERS]
    loader = next((path for path in loaders if path.exists()), None)
    for prefix in ("usr/local", "usr"):
        program = root / prefix / "bin" / f"python{ctx.python_version}"
        if loader is not None and program.exists():
            libraries = [f"{prefix}/lib", f"lib/{ctx.machine}-linux-gnu",
                         f"usr/lib/{ctx.machine}-linux-gnu", "usr/lib64", "lib64"]  # fmt: skip
            path = ":".join(str(root / one) for one in libraries)
            return Interpreter(
                (str(loader), "--library-path", path, str(program)),
                {"PYTHONHOME": str(root / prefix), "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
            )
    raise BuildError(
        "base image",
        f"has no python{ctx.python_version} that runs through {LOADERS[ctx.machine]}",
        f"a glibc-based image with Python {ctx.python_version}",
    )


def _scratch(ctx: Context) -> Path:
    folder = ctx.cache / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
