"""Makes one image: its layers, and the configuration whose hash is the image's id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import foreign
from .context import Context
from .errors import BuildError
from .layers import KINDS
from .layers.debian import rootfs_of
from .place import Place
from .recipe import SCRATCH, LayerSpec, Recipe
from .store import Blob, canonical, key_of

BYTES_PER_MB = 1_000_000
NANOSECONDS = 1_000_000_000
LICENSE = "Apache-2.0"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """A finished image: its recipe, the blob of its configuration, its layers from the lowest."""

    recipe: Recipe
    config: Blob
    layers: tuple[Blob, ...]
    history: tuple[str, ...]
    specs: tuple[LayerSpec, ...]
    env: dict[str, str]
    components: tuple[str, ...]

    @property
    def ref(self) -> str:
        """The name under which hosts know it: ``agentcore/<key>:<first 12 of the id>``."""
        return f"agentcore/{self.recipe.key}:{self.config.hex[:12]}"

    def record(self) -> dict[str, Any]:
        """Return its entry in the release record; ``size`` in bytes."""
        return {
            "ref": self.ref,
            "id": self.config.digest,
            "layers": [blob.digest for blob in self.layers],
            "size": self.config.size + sum(blob.size for blob in self.layers),
        }


def layer_key(ctx: Context, place: Place, spec: LayerSpec) -> str:
    """Return the name under which a layer is remembered."""
    inputs = KINDS[spec.kind].inputs(ctx, place, spec)
    return "layer-" + key_of(ctx.engine_key, ctx.epoch, spec.kind, inputs)


def remembered(ctx: Context, place: Place, spec: LayerSpec) -> Blob | None:
    """Return a layer that an earlier build made from the same inputs, if its blob is here."""
    value = ctx.store.recall(layer_key(ctx, place, spec))
    blob = Blob(value["digest"], value["size"]) if value else None
    return blob if blob is not None and ctx.store.has(blob) else None


def missing_layers(ctx: Context, recipe: Recipe, below: tuple[LayerSpec, ...]) -> list[str]:
    """Return the titles of the layers that a build would have to make."""
    titles = []
    base = ctx.foreign_bases.get(recipe.folder, "")
    for spec in recipe.layers:
        place = Place(recipe.folder, below, base)
        if not (base and spec.kind == "debian") and remembered(ctx, place, spec) is None:
            titles.append(KINDS[spec.kind].title(spec))
        below = (*below, spec)
    return titles


def unmade(recipe: Recipe) -> Image:
    """Return an image that only says what it would hold: a parent that foreign bases replace."""
    return Image(recipe, Blob("", 0), (), (), recipe.layers, {}, ())


def make(ctx: Context, recipe: Recipe, done: dict[str, Image]) -> Image:
    """Make an image whose parent, if it has one, is in ``done``.

    With a foreign base (see ``Context.foreign_bases``) the layers of Debian packages give way to
    the base's, which must have the programs that the recipe names.
    """
    base = ctx.foreign_bases.get(recipe.folder, "")
    parent = done.get(recipe.parent) if recipe.parent != SCRATCH else None
    specs = parent.specs if parent else ()
    env = dict(parent.env) if parent else {}
    start: tuple[Blob, ...] = parent.layers if parent else ()
    history: tuple[str, ...] = parent.history if parent else ()
    lines: tuple[str, ...] = parent.components if parent else ()
    own = recipe.layers
    if base and parent is not None and parent.recipe.internal:
        taken = foreign.take(ctx, base)
        foreign.check_programs(ctx, base, recipe.programs, recipe.folder)
        start, env = taken.layers, dict(taken.env)
        history = tuple(f"base image {base}" for _ in taken.layers)
        own, specs = (*parent.specs, *recipe.layers), ()
        lines = (f"image {base} {foreign.image_id(ctx, base)}",)
    layers = list(start)
    titles = list(history)
    components = list(lines)
    for spec in own:
        place = Place(_folder(recipe, parent, spec), specs, base)
        specs = (*specs, spec)
        if base and spec.kind == "debian":
            continue
        layers.append(_layer(ctx, recipe, place, spec))
        titles.append(KINDS[spec.kind].title(spec))
        components.extend(KINDS[spec.kind].components(ctx, spec))
    if not base and any(spec.kind == "debian" for spec in specs):
        debs = ctx.once(
            f"debs {rootfs_of(ctx, specs).key}",
            lambda: rootfs_of(ctx, specs).packages_installed(ctx),
        )
        components = [f"deb {line}" for line in debs] + [
            line for line in components if not line.startswith("deb ")
        ]
    _check_size(recipe, layers[len(start) :])
    env.update(recipe.env)
    config = ctx.store.add_bytes(_config(ctx, recipe, layers, titles, env, specs))
    return Image(
        recipe, config, tuple(layers), tuple(titles), specs, env, tuple(dict.fromkeys(components))
    )


def _folder(recipe: Recipe, parent: Image | None, spec: LayerSpec) -> str:
    """A layer's files lie beside the recipe that names it, which may be the parent's."""
    inherited = parent is not None and spec in parent.specs
    return parent.recipe.folder if inherited and parent else recipe.folder


def _layer(ctx: Context, recipe: Recipe, place: Place, spec: LayerSpec) -> Blob:
    found = remembered(ctx, place, spec)
    if found is not None:
        return found
    key = layer_key(ctx, place, spec)
    with ctx.step(f"{recipe.key}: {KINDS[spec.kind].title(spec)}"):
        blob = ctx.store.add_layer(KINDS[spec.kind].nodes(ctx, place, spec), ctx.epoch)
    ctx.store.remember(key, {"digest": blob.digest, "size": blob.size})
    return blob


def _check_size(recipe: Recipe, added: list[Blob]) -> None:
    size = sum(blob.size for blob in added) / BYTES_PER_MB
    if recipe.limit_mb and size > recipe.limit_mb:
        raise BuildError(
            f"images/{recipe.folder}",
            f"{recipe.key} adds {size:.1f} MB",
            f"at most {recipe.limit_mb:g} MB (limit_mb in its image.yml)",
        )


def _config(
    ctx: Context,
    recipe: Recipe,
    layers: list[Blob],
    titles: list[str],
    env: dict[str, str],
    specs: tuple[LayerSpec, ...],
) -> bytes:
    if len(layers) != len(titles):
        raise BuildError(recipe.key, "has not one line of history per layer")
    created = datetime.fromtimestamp(ctx.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sources = sorted(
        {f"images/{recipe.folder}"}
        | {path for spec in specs for path in KINDS[spec.kind].sources(recipe.folder, spec)}
        | ({"images/base"} if any(spec.kind == "debian" for spec in specs) else set())
    )
    env = {"PATH": DEFAULT_PATH, **env}
    config: dict[str, Any] = {
        "User": recipe.user,
        "Env": [f"{key}={value}" for key, value in sorted(env.items())],
        "WorkingDir": recipe.workdir,
        "StopSignal": recipe.stop_signal,
        "Entrypoint": list(recipe.entrypoint) or None,
        "Cmd": list(recipe.cmd) or None,
        "Labels": _labels(ctx, recipe, sources),
    }
    if recipe.expose:
        config["ExposedPorts"] = {port: {} for port in recipe.expose}
    if recipe.healthcheck:
        config["Healthcheck"] = {
            "Test": recipe.healthcheck["test"],
            "Interval": int(float(recipe.healthcheck.get("interval", 2)) * NANOSECONDS),
            "Timeout": int(float(recipe.healthcheck.get("timeout", 3)) * NANOSECONDS),
            "Retries": int(recipe.healthcheck.get("retries", 3)),
        }
    return canonical(
        {
            "architecture": ctx.architecture,
            "os": "linux",
            "created": created,
            "config": config,
            "history": [{"created": created, "created_by": title} for title in titles],
            "rootfs": {"type": "layers", "diff_ids": [blob.digest for blob in layers]},
        }
    )


def _labels(ctx: Context, recipe: Recipe, sources: list[str]) -> dict[str, str]:
    image = "org.opencontainers.image"
    labels = {
        f"{image}.title": recipe.title,
        f"{image}.description": recipe.description,
        f"{image}.version": ctx.version,
        f"{image}.revision": ctx.revision(sources),
        f"{image}.licenses": LICENSE,
    }
    if recipe.flavor:
        labels["io.agentcore.flavor"] = recipe.flavor
    return {**labels, **recipe.labels}
