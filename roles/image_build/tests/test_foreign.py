"""A base image from the engine takes the place of Debian's packages, and of mmdebstrap itself."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from agentcore_images.build import build, plan
from agentcore_images.context import Context
from agentcore_images.errors import BuildError
from agentcore_images.foreign import foreign_tree
from agentcore_images.tree import Node, write_layer

Make = Callable[..., Context]
BASE = """
title: base
description: Debian
parent: scratch
internal: true
layers:
  - debian: { packages: [] }
  - files: [{ path: /etc/agentcore, type: dir }]
"""
EDGE = """
title: edge
description: HAProxy
parent: base
programs: [haproxy]
layers:
  - debian: { packages: [haproxy] }
  - files: [{ path: /etc/agentcore/mark, content: here }]
"""


def tar_of(*nodes: Node) -> bytes:
    sink = io.BytesIO()
    write_layer(list(nodes), sink, 0)
    return sink.getvalue()


LAYERS = [
    tar_of(Node("usr/bin/haproxy", content=b"1"), Node("old/file", content=b"1"), Node("gone")),
    tar_of(Node("old/.wh..wh..opq", kind="whiteout"), Node(".wh.gone", kind="whiteout")),
]


@pytest.fixture
def project_on_debian(tmp_path: Path) -> Path:
    root = tmp_path / "p"
    for name, text in (("base", BASE), ("edge", EDGE)):
        (root / "images" / name).mkdir(parents=True)
        (root / "images" / name / "image.yml").write_text(text)
    (root / "VERSION").write_text("1.2.3\n")
    return root


@pytest.fixture
def docker(tmp_path: Path) -> str:
    """Return a client that has one image, saved with its layers packed as newer engines do."""
    config = json.dumps(
        {
            "config": {"Env": ["PATH=/opt/bin", "KEPT=yes"]},
            "rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(d).hexdigest()}" for d in LAYERS]},
        }
    ).encode()
    manifest = [{"Config": "config", "Layers": ["0", "1"]}]
    files = {"config": config, "manifest.json": json.dumps(manifest).encode()}
    files |= {str(number): gzip.compress(data) for number, data in enumerate(LAYERS)}
    archive = tmp_path / "saved.tar"
    with tarfile.open(archive, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    client = tmp_path / "docker"
    client.write_text(
        f'#!/bin/sh\ncase "$1" in image) echo sha256:1;; save) cp {archive} "$3";; esac\n'
    )
    client.chmod(0o755)
    return str(client)


def test_the_layers_of_the_base_are_taken_as_they_are(
    project_on_debian: Path, context: Make, docker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/bin:/usr/bin/nothing")  # no mmdebstrap is needed
    ctx = context(project_on_debian, docker=docker, foreign_bases={"edge": "their/haproxy:1"})
    record = build(ctx, 0).release
    edge = record["images"]["edge"]
    assert set(record["images"]) == {"edge"}
    assert edge["layers"][:2] == [f"sha256:{hashlib.sha256(d).hexdigest()}" for d in LAYERS]
    assert len(edge["layers"]) == 4
    blob = ctx.release_dir / "blobs" / "sha256" / edge["id"][7:]
    env = json.loads(blob.read_bytes())["config"]["Env"]
    assert env == ["KEPT=yes", "PATH=/opt/bin"]
    again = context(project_on_debian, docker=docker, foreign_bases={"edge": "their/haproxy:1"})
    assert not plan(again).changed
    assert not build(again, 0).changed


def test_files_that_a_higher_layer_removes_are_gone(
    project_on_debian: Path, context: Make, docker: str
) -> None:
    assert set(foreign_tree(context(project_on_debian, docker=docker), "x")) == {"usr/bin/haproxy"}


def test_a_base_without_the_program_is_refused(
    project_on_debian: Path, context: Make, docker: str
) -> None:
    path = project_on_debian / "images" / "edge" / "image.yml"
    path.write_text(EDGE.replace("programs: [haproxy]", "programs: [haproxy, perl]"))
    ctx = context(project_on_debian, docker=docker, foreign_bases={"edge": "their/haproxy:1"})
    with pytest.raises(BuildError, match="base image their/haproxy:1 has no perl; name another"):
        build(ctx, 0)


def test_a_base_for_no_image_is_refused(project_on_debian: Path, context: Make) -> None:
    ctx = context(project_on_debian, foreign_bases={"egde": "x"})
    with pytest.raises(BuildError, match="image_build_base_images: 'egde' is no folder of images/"):
        build(ctx, 0)
