"""Reads ``images/<name>/image.yml``; each mistake in it is named with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import BuildError

SCRATCH = "scratch"
IMAGE_KEYS = {
    "title", "description", "parent", "internal", "layers", "user", "env", "workdir", "entrypoint",
    "cmd", "expose", "healthcheck", "labels", "stop_signal", "flavors", "programs", "tools",
    "limit_mb",
}  # fmt: skip
FLAVOR_KEYS = {"parent", "layers", "labels", "env", "limit_mb"}
HEALTH_KEYS = {"test", "interval", "timeout", "retries"}


@dataclass(frozen=True)
class LayerSpec:
    """One layer as written: its kind (``debian``, ``files``, ...) and what it says of it."""

    kind: str
    options: Any
    where: str


@dataclass(frozen=True)
class Recipe:
    """One image to make. ``key`` is its name in the release, ``folder`` its name in ``images/``."""

    key: str
    folder: str
    title: str
    description: str
    parent: str
    layers: tuple[LayerSpec, ...]
    flavor: str = ""
    internal: bool = False
    user: str = ""
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    healthcheck: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "SIGTERM"
    programs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    limit_mb: float = 0  # of the layers that it adds to its parent; 0 is no limit


def load_all(images: Path, kinds: frozenset[str]) -> dict[str, Recipe]:
    """Return every image of ``images/`` by key, parents before children.

    Raises:
        BuildError: a file is missing, malformed, or names a parent that is not there.
    """
    if not images.is_dir():
        raise BuildError(str(images), "is not a folder", "one folder per image, with an image.yml")
    found: dict[str, Recipe] = {}
    for path in sorted(images.glob("*/image.yml")):
        for recipe in load(path, kinds):
            found[recipe.key] = recipe
    if not found:
        raise BuildError(str(images), "holds no */image.yml")
    return _ordered(found)


def _ordered(found: dict[str, Recipe]) -> dict[str, Recipe]:
    ordered: dict[str, Recipe] = {}

    def place(key: str, child: str, path: tuple[str, ...]) -> None:
        if key in ordered or key == SCRATCH:
            return
        if key not in found:
            raise BuildError(
                f"images/{found[child].folder}/image.yml",
                f"parent {key!r} is no image",
                f"scratch, or one of: {', '.join(sorted(found))}",
            )
        if key in path:
            raise BuildError("images", f"parents go in a circle: {' -> '.join((*path, key))}")
        place(found[key].parent, key, (*path, key))
        ordered[key] = found[key]

    for key in found:
        place(key, key, ())
    return ordered


def load(path: Path, kinds: frozenset[str]) -> list[Recipe]:
    """Return the images of one ``image.yml``: one, or one per flavor."""
    where = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BuildError(where, f"cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise BuildError(where, "is not a mapping", "keys such as title, parent, layers")
    _known(where, raw, IMAGE_KEYS)
    for key in ("title", "description", "parent"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            raise BuildError(where, f"{key} is missing", "a line of text")
    name = path.parent.name
    flavors = raw.pop("flavors", None)
    if flavors is None:
        return [_recipe(where, name, name, "", raw, kinds)]
    recipes = []
    for flavor, own in flavors.items():
        _known(f"{where}: flavors.{flavor}", own, FLAVOR_KEYS)
        joined = {**raw, **own}
        for mapping in ("labels", "env"):
            joined[mapping] = {**(raw.get(mapping) or {}), **(own.get(mapping) or {})}
        joined["layers"] = own.get("layers") or []
        recipes.append(_recipe(where, f"{name}-{flavor}", name, flavor, joined, kinds))
    return recipes


def _recipe(
    where: str, key: str, folder: str, flavor: str, raw: dict[str, Any], kinds: frozenset[str]
) -> Recipe:
    health = raw.get("healthcheck") or {}
    if health:
        _known(f"{where}: healthcheck", health, HEALTH_KEYS)
        _words(f"{where}: healthcheck.test", health.get("test"))
    return Recipe(
        key=key,
        folder=folder,
        flavor=flavor,
        title=raw["title"].strip(),
        description=" ".join(raw["description"].split()),
        parent=raw["parent"],
        layers=tuple(_layer(where, number, one, kinds) for number, one in _layers(where, raw)),
        internal=bool(raw.get("internal", False)),
        user=str(raw.get("user", "")),
        env={str(k): str(v) for k, v in (raw.get("env") or {}).items()},
        workdir=str(raw.get("workdir", "/")),
        entrypoint=_words(f"{where}: entrypoint", raw.get("entrypoint")),
        cmd=_words(f"{where}: cmd", raw.get("cmd")),
        expose=_words(f"{where}: expose", raw.get("expose")),
        healthcheck=health,
        labels={str(k): str(v) for k, v in (raw.get("labels") or {}).items()},
        stop_signal=str(raw.get("stop_signal", "SIGTERM")),
        programs=_words(f"{where}: programs", raw.get("programs")),
        limit_mb=float(raw.get("limit_mb", 0)),
        tools=_words(f"{where}: tools", raw.get("tools")),
    )


def _layers(where: str, raw: dict[str, Any]) -> list[tuple[int, Any]]:
    layers = raw.get("layers") or []
    if not isinstance(layers, list):
        raise BuildError(where, "layers is not a list")
    return list(enumerate(layers, 1))


def _layer(where: str, number: int, raw: Any, kinds: frozenset[str]) -> LayerSpec:
    here = f"{where}: layer {number}"
    if not isinstance(raw, dict) or len(raw) != 1:
        raise BuildError(here, "is not one kind with its options", f"one of {sorted(kinds)}")
    kind, options = next(iter(raw.items()))
    if kind not in kinds:
        raise BuildError(here, f"unknown kind {kind!r}", f"one of {sorted(kinds)}")
    return LayerSpec(kind, options, here)


def _words(where: str, raw: Any) -> tuple[str, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise BuildError(where, "is not a list of strings", 'for instance ["/monitor-agent"]')
    return tuple(raw)


def _known(where: str, raw: Any, allowed: set[str]) -> None:
    if not isinstance(raw, dict):
        raise BuildError(where, "is not a mapping", f"keys: {', '.join(sorted(allowed))}")
    for key in raw:
        if key not in allowed:
            raise BuildError(where, f"unknown key {key!r}", f"one of {', '.join(sorted(allowed))}")
