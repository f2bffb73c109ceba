"""The kinds of layers. One kind is one file here; to add one, write it and name it in ``KINDS``."""

from __future__ import annotations

from typing import Any, Protocol

from ..context import Context
from ..place import Place
from ..recipe import LayerSpec
from ..tree import Node
from . import debian, files, python_app, rust, wheels


class Kind(Protocol):
    """What a kind of layer can do. Options are as written in the ``image.yml``."""

    def inputs(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Any]:
        """Return what the layer depends on: equal inputs give the same bytes."""

    def sources(self, folder: str, spec: LayerSpec) -> list[str]:
        """Return the paths of the project that the layer is made from, for its revision."""

    def nodes(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Node]:
        """Make the layer's files."""

    def title(self, spec: LayerSpec) -> str:
        """Return a few words for the image's history and the build's progress."""

    def components(self, ctx: Context, spec: LayerSpec) -> list[str]:
        """Return lines for the bill of materials: ``deb NAME VERSION`` and the like."""


KINDS: dict[str, Kind] = {
    "debian": debian.KIND,
    "files": files.KIND,
    "python": python_app.KIND,
    "rust": rust.KIND,
    "wheels": wheels.KIND,
}
