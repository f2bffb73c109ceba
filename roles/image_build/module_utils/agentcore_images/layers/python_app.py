"""``python``: a package from source, with bytecode and the metadata that names its version."""

from __future__ import annotations

from typing import Any

from ..bytecode import with_bytecode
from ..context import Context, files_below
from ..errors import BuildError
from ..place import Place
from ..recipe import LayerSpec
from ..tree import Node, clean, with_parents


class PythonApp:
    """Options: ``source``, a folder of the project; ``to``, the folder of the import path."""

    def inputs(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Any]:
        """The sources, the version, and the Python below."""
        from .debian import rootfs_of

        python = place.foreign or rootfs_of(ctx, place.lower).key
        return [spec.options, ctx.hash_tree(self._source(ctx, spec)), ctx.version, python]

    def sources(self, folder: str, spec: LayerSpec) -> list[str]:
        """The package's folder."""
        return [str(spec.options["source"])]

    def title(self, spec: LayerSpec) -> str:
        """The package."""
        return f"python: {spec.options['source']}"

    def components(self, ctx: Context, spec: LayerSpec) -> list[str]:
        """Our own package."""
        return [f"python {self._source(ctx, spec).name} {ctx.version}"]

    def nodes(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Node]:
        """The package's files, bytecode, and a dist-info folder."""
        source = self._source(ctx, spec)
        to = clean(spec.options["to"])
        nodes = [
            Node(
                f"{to}/{source.name}/{path.relative_to(source).as_posix()}",
                content=path.read_bytes(),
            )
            for path in files_below(source)
        ]
        info = f"{to}/{source.name}-{ctx.version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {source.name}\nVersion: {ctx.version}\n"
        nodes.append(Node(f"{info}/METADATA", content=metadata.encode()))
        return with_parents(with_bytecode(ctx, place, nodes))

    def _source(self, ctx: Context, spec: LayerSpec) -> Any:
        options = spec.options
        if not isinstance(options, dict) or set(options) != {"source", "to"}:
            raise BuildError(spec.where, "python wants source and to")
        source = ctx.root / str(options["source"])
        if not (source / "__init__.py").is_file():
            raise BuildError(spec.where, f"{options['source']} is no Python package of the project")
        return source


KIND = PythonApp()
