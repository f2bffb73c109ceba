"""Every mistake in an ``image.yml`` is refused with its place, and the project's own are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from agentcore_images.build import build
from agentcore_images.context import Context
from agentcore_images.errors import BuildError
from agentcore_images.layers import KINDS
from agentcore_images.recipe import load_all

ROOT = Path(__file__).resolve().parents[3]
HEAD = "title: t\ndescription: d\nparent: scratch\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "image.yml: is not a mapping"),
        ("title: [", "cannot be read"),
        ("title: t\nparent: scratch\n", "description is missing"),
        (HEAD + "colour: red\n", "unknown key 'colour'; one of"),
        (HEAD + "layers: some\n", "layers is not a list"),
        (HEAD + "layers: [{zip: 1}]\n", "layer 1: unknown kind 'zip'; one of .*'debian'"),
        (HEAD + "layers: [{files: [], debian: {}}]\n", "layer 1: is not one kind"),
        (HEAD + "entrypoint: /bin/x\n", "entrypoint: is not a list of strings"),
        (HEAD + "healthcheck: {tset: [CMD]}\n", "healthcheck: unknown key 'tset'"),
        (HEAD.replace("scratch", "nowhere"), "parent 'nowhere' is no image"),
        (HEAD.replace("scratch", "x"), "parents go in a circle: x -> x"),
        (HEAD + "layers: [{files: [{path: a}]}]\n", "has no absolute path"),
        (HEAD + "layers: [{files: [{path: /a, mode: rw}]}]\n", "mode in octal"),
        (HEAD + "layers: [{files: [{path: /a, source: b}]}]\n", "source 'b' is no file"),
        (HEAD + "layers: [{files: [{path: /tmp/a}]}]\n", "/tmp/a changes /tmp; list /tmp too"),
        (HEAD + "layers: [{debian: {packages: ['a b']}}]\n", "not a list of Debian package names"),
        (HEAD + "layers: [{python: {source: x, to: /y}}]\n", "x is no Python package"),
        (HEAD + "layers: [{wheels: {lock: x.lock, to: /y}}]\n", "x.lock is missing"),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, context: Callable[..., Context], text: str, message: str
) -> None:
    (tmp_path / "images" / "x").mkdir(parents=True)
    (tmp_path / "VERSION").write_text("1.0.0\n")
    (tmp_path / "images" / "x" / "image.yml").write_text(text)
    with pytest.raises(BuildError, match=message) as caught:
        build(context(tmp_path), 0)
    assert "images/x/image.yml" in str(caught.value) or "images:" in str(caught.value)


def test_no_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is not a folder"):
        load_all(tmp_path / "images", frozenset(KINDS))
    (tmp_path / "images").mkdir()
    with pytest.raises(BuildError, match=r"holds no \*/image.yml"):
        load_all(tmp_path / "images", frozenset(KINDS))


@pytest.mark.skipif(not (ROOT / "images").is_dir(), reason="roles/ alone: there is no images/")
def test_the_projects_images() -> None:
    recipes = load_all(ROOT / "images", frozenset(KINDS))
    published = {key for key, recipe in recipes.items() if not recipe.internal}
    assert published == {
        "agentcore-native",
        "agentcore-python",
        "edge",
        "monitor-agent",
        "orchestrator",
        "prometheus",
        "security-agent",
    }
    for key in published:
        recipe = recipes[key]
        assert recipe.user == "10001:10001", key
        assert recipe.healthcheck, key
        assert (ROOT / "images" / recipe.folder / "README.md").is_file(), key
    native = recipes["agentcore-native"]
    assert native.parent == "agentcore-python"
    assert len(native.layers) == 1
