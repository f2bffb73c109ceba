"""``rust``: a static daemon, or the extensions for Python."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from .. import toolchain
from ..bytecode import Interpreter, interpreter
from ..context import Context
from ..errors import BuildError
from ..place import Place
from ..recipe import LayerSpec
from ..tree import Node, clean, with_parents

LOAD_SECONDS = 30
LOAD = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[3:]:
    found = importlib.import_module(name).__version__
    if found != sys.argv[2]:
        sys.exit(f"{name} is version {found}")
"""


def load_check(python: Interpreter, folder: Path, names: list[str], version: str) -> None:
    """Load the extensions with the image's own Python, before any host does.

    Raises:
        BuildError: one does not load, or is of another version than the project.
    """
    command = [*python.command, "-S", "-B", "-c", LOAD, str(folder), version, *names]
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=python.env,
            timeout=LOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(str(folder), f"does not load within {LOAD_SECONDS} s") from error
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or [f"status {answer.returncode}"])[-1]
        raise BuildError(
            str(folder), f"the image's Python does not load it: {last}", f"version {version}"
        )


class Rust:
    """Options: ``binary`` (a daemon's name) or ``extensions`` (a list), and ``to``, a path."""

    def inputs(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Any]:
        """The sources of the whole workspace and the compiler."""
        tools = self._tools(ctx, spec)
        return [spec.options, ctx.once("rust", lambda: toolchain.source_key(ctx, tools))]

    def sources(self, folder: str, spec: LayerSpec) -> list[str]:
        """The workspace."""
        return ["rust"]

    def title(self, spec: LayerSpec) -> str:
        """The daemon, or how many extensions."""
        if "binary" in spec.options:
            return f"rust: {spec.options['binary']}"
        return f"rust: {len(spec.options['extensions'])} extensions"

    def components(self, ctx: Context, spec: LayerSpec) -> list[str]:
        """All crates of the lock file."""
        return toolchain.crates(ctx)

    def nodes(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Node]:
        """The binary or the shared objects."""
        tools = self._tools(ctx, spec)
        key = ctx.once("rust", lambda: toolchain.source_key(ctx, tools))
        folder = toolchain.artifacts(ctx, tools, key)
        to = clean(spec.options["to"])
        if "binary" in spec.options:
            content = (folder / spec.options["binary"]).read_bytes()
            return with_parents([Node(to, mode=0o755, content=content)])
        load_check(interpreter(ctx, place), folder / "lib", spec.options["extensions"], ctx.version)
        return with_parents(
            [
                Node(
                    f"{to}/{name}.abi3.so",
                    content=(folder / "lib" / f"{name}.abi3.so").read_bytes(),
                )
                for name in spec.options["extensions"]
            ]
        )

    def _tools(self, ctx: Context, spec: LayerSpec) -> toolchain.Toolchain:
        options = spec.options if isinstance(spec.options, dict) else {}
        daemon = set(options) == {"binary", "to"} and options["binary"] in toolchain.DAEMONS
        extensions = set(options) == {"extensions", "to"} and (
            set(options["extensions"]) <= set(toolchain.EXTENSIONS)
        )
        if not daemon and not extensions:
            names = f"{', '.join(toolchain.DAEMONS)}; {', '.join(toolchain.EXTENSIONS)}"
            raise BuildError(
                spec.where, f"{options!r}", f"binary or extensions, and to; of {names}"
            )
        tools = ctx.once("toolchain", lambda: toolchain.find(ctx))
        if tools is None:
            raise BuildError(spec.where, "needs a Rust tool chain", "image_build_native: false")
        return tools


KIND = Rust()
