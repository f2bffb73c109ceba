"""``rust``: a static daemon, or the extensions for Python."""

from __future__ import annotations

from typing import Any

from .. import toolchain
from ..context import Context
from ..errors import BuildError
from ..place import Place
from ..recipe import LayerSpec
from ..tree import Node, clean, with_parents


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
