"""One version everywhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

import agentcore

HERE = Path(__file__).parent.parent


def test_the_package_says_what_pyproject_says() -> None:
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    assert project["version"] == agentcore.__version__


def test_the_repository_says_the_same_when_it_is_there() -> None:
    version = HERE.parent / "VERSION"
    if version.is_file():  # a copy of this folder alone has none
        assert version.read_text().strip() == agentcore.__version__


def test_public_names_load_when_used() -> None:
    assert agentcore.RustIntegrationManager.__name__ == "RustIntegrationManager"
    assert set(agentcore.__all__) - {"__version__"} == set(agentcore._HOMES)
