"""Builds the host trees that the fixtures describe: path to content, or to ``{mode, uid, …}``."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parent.parent / "fixtures" / "security"


def load(path: Path) -> Any:
    """Read a fixture."""
    return json.loads(path.read_text(encoding="utf-8"))


def build(files: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Build a tree below ``folder``; its rootfs and procfs. Skips where owners need root."""
    if os.geteuid() != 0 and any(isinstance(f, dict) and "uid" in f for f in files.values()):
        pytest.skip("the fixture has owners that only root can set")
    for top in ("rootfs", "proc"):
        (folder / top).mkdir()
    for path, file in files.items():
        _make(folder / path, {"content": file} if isinstance(file, str) else file)
    return str(folder / "rootfs"), str(folder / "proc")


def _make(path: Path, file: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if "link" in file:
        path.symlink_to(file["link"])
        return
    if file.get("dir"):
        path.mkdir(exist_ok=True)
    elif file.get("socket"):
        before = Path.cwd()
        os.chdir(path.parent)  # a socket's path may have 107 bytes
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(path.name)
        finally:
            os.chdir(before)
    else:
        text = json.dumps(file["json"]) if "json" in file else file["content"]
        path.write_text(text, encoding="utf-8")
    if "uid" in file:
        os.chown(path, file["uid"], file.get("gid", 0))
    path.chmod(int(file.get("mode", "0755" if file.get("dir") else "0644"), 8))
