"""A real engine for these tests: one tiny image, and a prefix under which everything is removed.

Nothing is pulled: the image is Debian's static busybox, taken from the system or from its package.
Without an engine or without busybox the engine tests are skipped, and say why.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentcore.containers.contract import EngineError
from agentcore.containers.engine_http import EngineHttp

DOCKER = os.environ.get("TEST_DOCKER", "unix:///var/run/docker.sock")
PREFIX = f"actest-{os.getpid()}-"
APPLETS = ("cat", "echo", "false", "head", "id", "ls", "sh", "sleep", "touch", "true", "yes")


def _busybox(folder: Path) -> bytes | None:
    """Return a static busybox: the system's, or the one in Debian's package."""
    for place in (Path("/bin/busybox"), Path("/usr/bin/busybox")):
        if place.exists() and b"ld-linux" not in place.read_bytes():
            return place.read_bytes()
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return None
    options = ["-o", "APT::Sandbox::User=root"]
    fetched = subprocess.run(
        ["apt-get", *options, "download", "busybox-static"],
        cwd=folder,
        capture_output=True,
        timeout=100,
        check=False,
    )
    packages = list(folder.glob("busybox-static*.deb"))
    if fetched.returncode != 0 or not packages:
        return None
    subprocess.run(["dpkg", "-x", packages[0], folder / "root"], check=True)
    return (folder / "root/bin/busybox").read_bytes()


def _root_tar(busybox: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "data", "etc", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        file = tarfile.TarInfo("bin/busybox")
        file.size, file.mode = len(busybox), 0o755
        tar.addfile(file, io.BytesIO(busybox))
        for name in APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return out.getvalue()


class TestEngine:
    """What the tests need of the engine besides the code under test."""

    __test__ = False

    def __init__(self, http: EngineHttp) -> None:
        self.http = http
        self.docker = DOCKER
        self.prefix = PREFIX
        self.image = f"{PREFIX}busybox:1"

    def load(self, root: bytes, tag: str) -> str:
        """Import a root file system as an image; return its id."""
        done = subprocess.run(
            ["docker", "-H", DOCKER, "import", "-", tag],
            input=root,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def containers(self, label: str) -> list[dict[str, Any]]:
        """List containers with a label, stopped ones too."""
        scope = {"all": 1, "filters": {"label": [label]}}
        found: list[dict[str, Any]] = self.http.request("GET", "/containers/json", scope)
        return found

    def sandboxes(self) -> list[str]:
        """Return the ids of sandboxes made from this session's image."""
        image = self.http.request("GET", f"/images/{self.image}/json")["Id"]
        found = self.containers("agentcore.sandbox=1")
        return [item["Id"] for item in found if item["ImageID"] == image]

    def clean(self) -> None:
        """Remove everything under the prefix, whatever happened before."""
        mine = {"name": [PREFIX]}
        query = {"all": 1, "filters": mine}
        for item in self.http.request("GET", "/containers/json", query):
            gone = {"force": 1, "v": 1}
            self.http.request("DELETE", f"/containers/{item['Id']}", gone, absent_ok=True)
        for item in self.http.request("GET", "/networks", {"filters": mine}):
            self.http.request("DELETE", f"/networks/{item['Id']}", absent_ok=True)
        for item in self.http.request("GET", "/volumes", {"filters": mine})["Volumes"] or []:
            self.http.request("DELETE", f"/volumes/{item['Name']}", {"force": 1}, absent_ok=True)
        for item in self.http.request("GET", "/images/json"):
            for tag in item["RepoTags"] or []:
                if tag.startswith(PREFIX):
                    self.http.request("DELETE", f"/images/{tag}", {"force": 1}, absent_ok=True)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestEngine]:
    """The engine with the test image; everything under the prefix is removed at the end."""
    http = EngineHttp(DOCKER)
    try:
        http.api_version()
    except EngineError as error:
        pytest.skip(f"no engine: {error}")
    if shutil.which("docker") is None:
        pytest.skip("no docker command to import the test image with")
    busybox = _busybox(tmp_path_factory.mktemp("busybox"))
    if busybox is None:
        pytest.skip("no static busybox: neither installed nor to be had from apt")
    found = TestEngine(http)
    try:
        found.load(_root_tar(busybox), found.image)
        yield found
    finally:
        found.clean()


@pytest.fixture
def project_name(engine: TestEngine, request: pytest.FixtureRequest) -> Iterator[str]:
    """A project's name of this test alone; its containers are removed even if the test fails."""
    name = f"{PREFIX}{abs(hash(request.node.nodeid)) % 10**6}"
    yield name
    for item in engine.containers(f"agentcore.project={name}"):
        gone = {"force": 1, "v": 1}
        engine.http.request("DELETE", f"/containers/{item['Id']}", gone, absent_ok=True)
