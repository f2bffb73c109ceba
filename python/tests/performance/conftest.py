"""The recorded hosts: the clock and the file systems stand in ``statvfs``, the rest is files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agentcore import __version__
from agentcore.integration import RustIntegrationManager
from agentcore.performance import FastPerformanceMonitor, Scrape
from agentcore.performance.contract import Recording

HOSTS = Path(__file__).parent.parent / "fixtures" / "monitor"
NOW = 1_795_000_000_123_456
Portable = tuple[str, list[str]]


def recording(tree: Path) -> Recording:
    """What isn't a file: the clock, and what the file systems said."""
    capacities = {}
    for line in (tree / "statvfs").read_text().splitlines():
        if not line.startswith("#"):
            a, b, c, d, e, f, point = line.split(" ", 6)
            capacities[point] = (int(a), int(b), int(c), int(d), int(e), int(f))
    return NOW, capacities


@pytest.fixture
def monitor_of() -> Callable[[Path, RustIntegrationManager], FastPerformanceMonitor]:
    """Make the monitor of a recorded host."""

    def make(tree: Path, manager: RustIntegrationManager) -> FastPerformanceMonitor:
        return FastPerformanceMonitor(
            procfs=tree / "proc",
            sysfs=tree / "sys",
            rootfs=tree / "root",
            textfile_directory=tree / "textfile",
            recording=recording(tree),
            manager=manager,
        )

    return make


@pytest.fixture
def host() -> Callable[[str], Path]:
    """Where a recorded host is."""
    return lambda name: HOSTS / name


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[str], Path]:
    """Copy a recorded host, to break something in it."""
    return lambda name: Path(shutil.copytree(HOSTS / name, tmp_path / name))


@pytest.fixture
def portable() -> Callable[[Scrape, Path], Portable]:
    """Show a page and its failures without the tree's place and the release."""

    def show(scrape: Scrape, tree: Path) -> Portable:
        here, version = str(tree), f'version="{__version__}"'
        text = scrape.text.replace(here, "/TREE").replace(version, 'version="VERSION"', 1)
        failures = [f"{one.collector}: {one.reason}" for one in scrape.failures]
        return text, [failure.replace(here, "/TREE") for failure in failures]

    return show
