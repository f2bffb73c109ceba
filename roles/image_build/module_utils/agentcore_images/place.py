"""Where in its image a layer stands: what lies below it."""

from __future__ import annotations

from dataclasses import dataclass

from .recipe import LayerSpec


@dataclass(frozen=True)
class Place:
    """The image's folder, the layers below, and the foreign base image if it has one."""

    folder: str
    lower: tuple[LayerSpec, ...] = ()
    foreign: str = ""
