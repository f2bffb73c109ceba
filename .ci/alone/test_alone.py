# Apache-2.0 (see LICENSE)
"""Each of rust/, python/ and roles/ builds and tests alone, from a copy of that one folder in an empty place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def alone(tmp_path: Path):
    """Copies what git knows of one folder; answers a runner of commands in the copy."""

    def copy(folder: str) -> Path:
        listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, check=True).stdout
        for name in listed.decode().split("\0"):
            if name and (ROOT / name).exists():
                target = tmp_path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((ROOT / name).read_bytes())
                target.chmod((ROOT / name).stat().st_mode)
        return tmp_path / folder

    return copy


def run(command: list[str], folder: Path, **env: str) -> None:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AGENTCORE_", "ANSIBLE_"))}
    done = subprocess.run(
        command, cwd=folder, env={**inherited, **env}, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_python_builds_and_tests_without_rust(alone, tmp_path: Path) -> None:
    folder = alone("python")
    # A path without cargo, and no extension in reach: the twins must do all of it.
    path = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if "cargo" not in one)
    run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not slow", "-p", "no:cacheprovider"],
        folder,
        PATH=path,
        AGENTCORE_NATIVE="off",
    )
    run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path / "wheels"), "."], folder)
    assert list((tmp_path / "wheels").glob("agentcore-*-py3-none-any.whl"))


def test_rust_builds_and_tests_alone(alone) -> None:
    folder = alone("rust")
    # The shared target folder keeps the dependencies; the crates themselves are built anew from the copy.
    run(["cargo", "test", "--workspace", "--quiet"], folder)


def test_roles_are_read_and_tested_alone(alone) -> None:
    folder = alone("roles")
    playbook = folder.parent / "all.yml"
    names = sorted(path.name for path in folder.iterdir() if (path / "tasks/main.yml").exists())
    playbook.write_text(
        "- hosts: localhost\n  gather_facts: false\n  roles:\n" + "".join(f"    - {name}\n" for name in names)
    )
    run(
        ["ansible-playbook", "-i", "localhost,", "--syntax-check", str(playbook)],
        folder.parent,
        ANSIBLE_ROLES_PATH=str(folder),
    )
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "container_service", "-k", "mismatch or target"], folder)
