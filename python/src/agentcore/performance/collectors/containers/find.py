"""Finds the containers' cgroups and their names."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from agentcore.performance.collectors.containers.usage import read_text
from agentcore.performance.host import Host, NoDataError

LIMIT = 512
"""More containers than this are left out, so that one host can't flood Prometheus."""
_DEPTH = 6  # how deep containers lie at most: /kubepods.slice/…/…/cri-containerd-<id>.scope
_VISITS = 8192  # how many cgroups are looked at, at most; a host has some hundreds
# `<64 hex>` (cgroupfs driver) or `<engine>-<64 hex>.scope` (systemd driver).
CONTAINER = re.compile(r"(?:.*-)?([0-9a-f]{64})(?:\.scope)?", re.DOTALL)


@dataclass(slots=True)
class Found:
    """What was found; each container by its labels."""

    version: int
    root: str
    containers: list[dict[str, str]]
    truncated: bool


def find(host: Host) -> Found:
    """Find the containers.

    Raises:
        NoDataError: the host has no cgroups.
    """
    root = os.path.join(host.sysfs, "fs/cgroup")  # noqa: PTH118
    version = 2 if Path(root, "cgroup.controllers").exists() else 1
    tree = Path(root)
    if version == 1:
        # In version 1 every hierarchy has the containers; memory's is there on every engine.
        trees = [Path(root, name) for name in ("memory", "cpuacct", "pids")]
        tree = next((one for one in trees if one.is_dir()), tree)
        if tree not in trees:
            raise NoDataError(f"no cgroups at {root}")
    walk = _Walk()
    walk.into(str(tree), "", _DEPTH)
    ids = sorted(walk.found)
    truncated = len(ids) > LIMIT or walk.visits == 0
    return Found(version, root, [_labels(host, *one) for one in ids[:LIMIT]], truncated)


class _Walk:
    """Collects (path, id) of containers. It doesn't look into them: what runs inside is theirs."""

    def __init__(self) -> None:
        self.visits = _VISITS
        self.found: list[tuple[str, str]] = []

    def into(self, folder: str, path: str, depth: int) -> None:
        try:
            with os.scandir(folder) as entries:
                folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return
        for entry in folders:
            if self.visits == 0:
                return
            self.visits -= 1
            below = f"{path}/{entry.name}"
            container = CONTAINER.fullmatch(entry.name)
            if container:
                self.found.append((below, container[1]))
            elif depth > 1:
                self.into(entry.path, below, depth - 1)


def _labels(host: Host, cgroup: str, container: str) -> dict[str, str]:
    """Look up Docker's record of a container: ``Name`` (a slash in front) and ``Config.Image``."""
    below = f"var/lib/docker/containers/{container}/config.v2.json"
    text = read_text(os.path.join(host.rootfs, below))  # noqa: PTH118
    try:
        record = json.loads(text) if text is not None else {}
    except ValueError:
        record = {}
    name = _string(record, "Name").removeprefix("/")
    config = record.get("Config") if isinstance(record, dict) else None
    return {"id": cgroup, "image": _string(config, "Image"), "name": name or container}


def _string(record: object, key: str) -> str:
    value = record.get(key) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""
