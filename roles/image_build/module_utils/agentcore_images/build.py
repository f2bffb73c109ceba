"""A whole build: read the recipes, make what is missing, write the release."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

from . import foreign, toolchain
from .context import Context
from .errors import BuildError
from .image import Image, make, missing_layers, unmade
from .layers import KINDS
from .layers.debian import rootfs_of
from .lock import hold
from .recipe import SCRATCH, LayerSpec, Recipe, load_all
from .release import read_record, release_id, write
from .store import hash_file, replacing

HOW_TO_NATIVE = (
    "no Rust tool chain on this control host: only the Python flavor is built. For native images "
    "install Rust 1.95 or newer (cargo on the PATH) and run the same command again"
)


@dataclass(frozen=True)
class Outcome:
    """What a build did: the release's record, whether it changed, notes, what would be made."""

    release: dict[str, Any]
    changed: bool
    notes: list[str]
    missing: dict[str, list[str]]


def build(ctx: Context, lock_wait_seconds: float) -> Outcome:
    """Build the release; nothing is done for what is there already.

    Raises:
        BuildError: something is missing, malformed or fails; the release before stays as it was.
    """
    with hold(ctx.cache / "build.lock", lock_wait_seconds, ctx.say):
        recipes, notes = _wanted(ctx)
        done: dict[str, Image] = {}
        for key, recipe in recipes.items():
            if _only_named(ctx, recipe, recipes):
                done[key] = unmade(recipe)
                continue
            done[key] = make(ctx, recipe, done)
            _extract_tools(ctx, done[key])
        images = [image for image in done.values() if not image.recipe.internal]
        record, changed = write(ctx, images)
        in_use = {blob.hex for image in done.values() for blob in (image.config, *image.layers)}
        ctx.store.prune(in_use)
        shutil.rmtree(ctx.cache / "scratch", ignore_errors=True)
    return Outcome(record, changed, notes, {})


def plan(ctx: Context) -> Outcome:
    """Tell what a build would make, without making it: nothing is written."""
    recipes, notes = _wanted(ctx)
    missing = {}
    for key, recipe in recipes.items():
        if _only_named(ctx, recipe, recipes):
            continue
        titles = missing_layers(ctx, recipe, _specs_below(recipe, recipes))
        if titles:
            missing[key] = titles
    record = read_record(ctx.release_dir)
    if record is not None and set(record["images"]) != {
        key for key, recipe in recipes.items() if not recipe.internal
    }:
        missing.setdefault("release.json", ["another set of images"])
    whole = record or {"schema": 1, "id": release_id(ctx.version, {}), "images": {}}
    return Outcome(whole, bool(missing) or record is None, notes, missing)


def _only_named(ctx: Context, recipe: Recipe, recipes: dict[str, Recipe]) -> bool:
    """Tell whether foreign bases stand in for an internal image wherever it is the parent."""
    children = [one for one in recipes.values() if one.parent == recipe.key]
    return recipe.internal and all(one.folder in ctx.foreign_bases for one in children)


def _specs_below(recipe: Recipe, recipes: dict[str, Recipe]) -> tuple[LayerSpec, ...]:
    if recipe.parent == SCRATCH:
        return ()
    parent = recipes[recipe.parent]
    return (*_specs_below(parent, recipes), *parent.layers)


def _wanted(ctx: Context) -> tuple[dict[str, Recipe], list[str]]:
    """Return the images to build here, and what the operator should know of the choice."""
    recipes = load_all(ctx.root / "images", frozenset(KINDS))
    for folder in ctx.foreign_bases:
        if folder not in {recipe.folder for recipe in recipes.values()}:
            raise BuildError("image_build_base_images", f"{folder!r} is no folder of images/")
    if ctx.once("toolchain", lambda: toolchain.find(ctx)) is not None:
        return recipes, []
    kept: dict[str, Recipe] = {}
    for key, recipe in recipes.items():
        parent_is_kept = recipe.parent == SCRATCH or recipe.parent in kept
        if parent_is_kept and all(spec.kind != "rust" for spec in recipe.layers):
            kept[key] = recipe
    return kept, [] if ctx.native == "false" else [HOW_TO_NATIVE]


def _extract_tools(ctx: Context, image: Image) -> None:
    """Put the programs that a recipe offers to the control host into the tools folder.

    So a configuration is checked by the very version that will run it.
    """
    for path in image.recipe.tools:
        name = path.rpartition("/")[2]
        target = ctx.tools_dir / name
        known = ctx.store.recall(f"tool-{name}")
        same = known and known["image"] == image.config.digest and target.is_file()
        if same and hash_file(target) == known["sha256"]:
            continue
        base = ctx.foreign_bases.get(image.recipe.folder, "")
        tree = foreign.foreign_tree(ctx, base) if base else rootfs_of(ctx, image.specs).tree(ctx)
        found = [one for one in tree if one.endswith(f"bin/{name}")]
        if not found:
            raise BuildError(f"images/{image.recipe.folder}", f"has no {path} to offer as a tool")
        with replacing(target) as part:
            part.write_bytes(tree[found[0]].read())
            part.chmod(0o755)
        ctx.store.remember(
            f"tool-{name}", {"image": image.config.digest, "sha256": hash_file(target)}
        )
