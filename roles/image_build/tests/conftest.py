"""Makes the role's modules importable, and small projects to build."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))

from agentcore_images.context import Context  # noqa: E402

EPOCH = 1767225600
TOOL = """
title: tool
description: A file and nothing else
parent: scratch
user: "10001:10001"
entrypoint: [/bin/tool]
healthcheck: { test: [CMD, /bin/tool, probe] }
layers:
  - files:
      - { path: /bin/tool, source: tool, mode: "0755" }
      - { path: /data, type: dir, mode: "0750", owner: "10001:10001" }
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Return a maker of projects with one image, the same wherever it lies."""

    def make(name: str) -> Path:
        root = tmp_path / name
        (root / "images" / "tool").mkdir(parents=True)
        (root / "VERSION").write_text("1.2.3\n")
        (root / "images" / "tool" / "image.yml").write_text(TOOL)
        (root / "images" / "tool" / "tool").write_bytes(b"#!/bin/true\n")
        return root

    return make


@pytest.fixture
def context() -> Callable[..., Context]:
    """Return a maker of builds of a project; what is said goes to ``said``."""

    def make(root: Path, said: list[str] | None = None, **more: object) -> Context:
        values: dict[str, object] = {
            "root": root,
            "cache": root / "build" / "cache",
            "release_dir": root / "build" / "release",
            "tools_dir": root / "build" / "tools",
            "suite": "bookworm",
            "mirror": "",
            "packages_serial": "1",
            "epoch": EPOCH,
            "native": "false",
            "rust_profile": "release",
            "python_version": "3.11",
            "foreign_bases": {},
            "docker": "docker",
            "timeout_seconds": 60.0,
            "say": (said if said is not None else []).append,
        }
        return Context(**{**values, **more})  # type: ignore[arg-type]

    return make
