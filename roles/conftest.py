# Apache-2.0 (see LICENSE)
"""Lets the tests of the roles import module_utils, library and plugins as Ansible does, without installing anything."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import uuid
from pathlib import Path

import pytest

ROLES = Path(__file__).resolve().parent
DOCKER_SOCKET = "/var/run/docker.sock"


class RoleModuleUtils:
    """Finds `ansible.module_utils.NAME` in the roles' own module_utils folders."""

    PREFIX = "ansible.module_utils."

    def find_spec(self, name, path=None, target=None):
        if not name.startswith(self.PREFIX):
            return None
        parts = name[len(self.PREFIX) :].split(".")
        for folder in sorted(ROLES.glob("*/module_utils")):
            package = folder.joinpath(*parts, "__init__.py")
            module = folder.joinpath(*parts).with_suffix(".py")
            if package.exists():
                return importlib.util.spec_from_file_location(name, package, submodule_search_locations=[str(package.parent)])
            if module.exists():
                return importlib.util.spec_from_file_location(name, module)
        return None


sys.meta_path.insert(0, RoleModuleUtils())


def engine_answers():
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(DOCKER_SOCKET)
        return True
    except OSError:
        return False


@pytest.fixture(scope="session")
def engine():
    """The real engine of this machine; tests that need it skip, with the reason, where there is none."""
    if not engine_answers():
        pytest.skip("no Docker engine answers at %s" % DOCKER_SOCKET)
    from ansible.module_utils.docker_engine import Engine

    return Engine(DOCKER_SOCKET)


@pytest.fixture(scope="session")
def busybox():
    """A static busybox from Debian's package, found once; there is no registry to pull an image from."""
    found = shutil.which("busybox")
    if found:
        return Path(found)
    folder = Path(tempfile.mkdtemp(prefix="busybox-"))
    asked = subprocess.run(["apt-get", "download", "-qq", "busybox-static"], cwd=folder, capture_output=True, text=True)
    packages = list(folder.glob("*.deb"))
    if not packages:
        pytest.skip("Debian's busybox-static cannot be fetched: %s" % asked.stderr.strip()[-200:])
    subprocess.run(["dpkg", "-x", packages[0], folder / "root"], check=True)
    return folder / "root/bin/busybox"


@pytest.fixture(scope="session")
def test_image(engine, busybox):
    """An image of busybox alone, imported for the session and removed after it."""
    name = "actest/busybox:%s" % uuid.uuid4().hex[:8]
    with tempfile.TemporaryDirectory() as folder:
        archive = os.path.join(folder, "root.tar")
        with tarfile.open(archive, "w") as tar:
            for path in ("tmp", "run"):
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
                tar.addfile(entry)
            tar.add(busybox, "bin/busybox")
            link = tarfile.TarInfo("bin/sh")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        subprocess.run(["docker", "import", archive, name], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)
