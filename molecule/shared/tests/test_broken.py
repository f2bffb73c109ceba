"""Faulty releases: each fault does what it says, the good one stays good, twice is the same."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SHARED))

from broken_faults import EXTENSION, FAULTS, MAIN, compile_c, shared_object  # noqa: E402
from broken_release import (  # noqa: E402
    Node,
    Release,
    canonical,
    read_tar,
    with_parents,
    write_layer,
)

GOOD_MODULE = """
__version__ = "0.1.0"


class Text:
    def normalize_many(self, texts, *rest):
        return [text.strip() for text in texts]

    def redact_many(self, texts, *rest):
        return list(texts)
"""
IMPORT = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("agent_core_utils", sys.argv[1])
spec = importlib.util.spec_from_loader("agent_core_utils", loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
text = module.Text()
print(module.__version__, text.normalize_many([" abc "]), text.redact_many(["x"]))
"""


def extension(folder: Path) -> bytes:
    """A good extension in the place of the Rust one: the same surface, compiled without cargo."""
    source = folder / "good.py"
    source.write_text(GOOD_MODULE)
    return compile_c("wrong_results.c", "-shared", "-fPIC", program=source)


class Writer:
    """Writes a small release in the form of the role image_build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        self.images: dict[str, Any] = {}

    def layer(self, *nodes: Node) -> str:
        """Writes a layer, answers its digest."""
        draft = self.folder / "draft"
        with draft.open("wb") as sink:
            digest, _ = write_layer(with_parents(list(nodes)), sink, 1767225600)
        draft.rename(self.blobs / digest)
        return f"sha256:{digest}"

    def image(self, key: str, *layers: str) -> None:
        """Writes an image's configuration and notes it."""
        config = {
            "created": "2026-01-01T00:00:00Z",
            "config": {"Healthcheck": {"Test": ["CMD", "x"]}, "Labels": {"a": "b"}},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "x"} for _ in layers],
            "rootfs": {"type": "layers", "diff_ids": list(layers)},
        }
        data = canonical(config)
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        ref = f"agentcore/{key}:{digest[:12]}"
        self.images[key] = {"ref": ref, "id": f"sha256:{digest}", "layers": list(layers), "size": 1}

    def record(self) -> None:
        """Writes release.json."""
        record = {"schema": 1, "id": "0.1.0-00000000", "version": "0.1.0", "native": True}
        (self.folder / "release.json").write_text(json.dumps({**record, "images": self.images}))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small good release: AGENTCore in both flavors and a monitor-agent."""
    folder = tmp_path_factory.mktemp("good")
    writer = Writer(folder / "release")
    pyc = "opt/agentcore/app/agentcore/__pycache__/__main__.cpython-311.pyc"
    app = writer.layer(Node(MAIN, content=b"print()\n"), Node(pyc, content=b"pyc"))
    lib = writer.layer(
        Node(EXTENSION, content=extension(folder), mode=0o755),
        Node("opt/agentcore/lib/agent_security_tools.abi3.so", content=b"another"),
    )
    writer.image("agentcore-python", app)
    writer.image("agentcore-native", app, lib)
    writer.image("monitor-agent", writer.layer(Node("monitor-agent", content=b"elf", mode=0o755)))
    writer.record()
    return writer.folder


def make(good: Path, fault: str, to: Path) -> dict[str, Any]:
    """Runs broken.py and answers the new release's record."""
    command = [sys.executable, str(SHARED / "broken.py"), "make", "--release", str(good)]
    done = subprocess.run(
        [*command, "--fault", fault, "--to", str(to)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads((to / "release.json").read_text())
    assert json.loads(done.stdout)["id"] == record["id"]
    return record


def spoiled(folder: Path) -> list[str]:
    """Blobs whose name is not their hash."""
    blobs = (folder / "blobs" / "sha256").iterdir()
    return [
        blob.name for blob in blobs if hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name
    ]


def take(folder: Path, record: dict[str, Any], key: str, path: str, to: Path) -> Path:
    """Unpacks one file of an image's last layer."""
    layer = (
        folder / "blobs" / "sha256" / record["images"][key]["layers"][-1].removeprefix("sha256:")
    )
    to.write_bytes(read_tar(layer)[path].read())
    to.chmod(0o755)
    return to


def run_import(file: Path) -> subprocess.CompletedProcess[str]:
    """Imports an extension in a process of its own; raises TimeoutExpired after 3 s."""
    return subprocess.run(
        [sys.executable, "-c", IMPORT, str(file)],
        capture_output=True,
        text=True,
        timeout=3,
        check=False,
    )


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_makes_another_whole_release_the_same_each_time(
    good: Path, tmp_path: Path, fault: str
) -> None:
    before = (good / "release.json").read_text()
    one = make(good, fault, tmp_path / "one")
    two = make(good, fault, tmp_path / "two")
    assert one == two
    named = {d[7:] for image in one["images"].values() for d in (image["id"], *image["layers"])}
    assert {blob.name for blob in (tmp_path / "one" / "blobs" / "sha256").iterdir()} == named
    assert len(spoiled(tmp_path / "one")) == (1 if fault == "flipped_byte" else 0)
    assert spoiled(good) == []
    assert (good / "release.json").read_text() == before
    for image in one["images"].values():
        assert image["ref"].endswith(f":{image['id'][7:19]}")


def test_the_good_extension_of_this_test_is_good(good: Path, tmp_path: Path) -> None:
    record = json.loads((good / "release.json").read_text())
    done = run_import(take(good, record, "agentcore-native", EXTENSION, tmp_path / "x.so"))
    assert done.stdout == "0.1.0 ['abc'] ['x']\n", done.stderr


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("missing_symbol", 1, "undefined symbol: agentcore_symbol_that_no_library_has"),
        ("kills_process", -6, ""),
        ("wrong_results", 0, "0.1.0 ['cba'] ['x']"),
    ],
)
def test_an_extension_fails_as_its_fault_says(
    good: Path, tmp_path: Path, fault: str, code: int, said: str
) -> None:
    record = make(good, fault, tmp_path / "bad")
    file = take(tmp_path / "bad", record, "agentcore-native", EXTENSION, tmp_path / "x.so")
    done = run_import(file)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    other = read_tar(
        tmp_path / "bad/blobs/sha256" / record["images"]["agentcore-native"]["layers"][-1][7:]
    )
    assert other["opt/agentcore/lib/agent_security_tools.abi3.so"].read() == b"another"
    assert record["images"]["agentcore-python"] == Release(good).images["agentcore-python"]


def test_wrong_results_of_the_real_extension_are_seen(tmp_path: Path) -> None:
    """The fault must reach what answers today: else a story finds out, minutes later."""
    root = SHARED.parents[1]
    real = root / "build" / "lib" / "agent_core_utils.abi3.so"
    if not real.exists():
        pytest.skip("build/lib is empty: make lib")
    (tmp_path / real.name).write_bytes(shared_object("wrong_results.c", real.read_bytes()))
    others = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCORE_")}
    ours = {"PYTHONPATH": str(root / "python/src"), "AGENTCORE_LIB_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "agentcore", "doctor", "--format", "json"],
        env=others | ours,
        capture_output=True,
        text=True,
        check=False,
    )
    states = {one["module"]: one["state"] for one in json.loads(done.stdout)["components"]}
    assert states["agent_core_utils"] == "self_test_failed"


def test_a_hanging_extension_hangs(good: Path, tmp_path: Path) -> None:
    record = make(good, "hangs", tmp_path / "bad")
    file = take(tmp_path / "bad", record, "agentcore-native", EXTENSION, tmp_path / "x.so")
    with pytest.raises(subprocess.TimeoutExpired):
        run_import(file)


def test_the_agent_exits(good: Path, tmp_path: Path) -> None:
    record = make(good, "agent_exits", tmp_path / "bad")
    file = take(tmp_path / "bad", record, "monitor-agent", "monitor-agent", tmp_path / "agent")
    done = subprocess.run([file, "--listen", "x"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "broken on purpose" in done.stderr


def test_broken_python_is_below_both_flavors(good: Path, tmp_path: Path) -> None:
    record = make(good, "python_broken", tmp_path / "bad")
    python, native = (record["images"][key] for key in ("agentcore-python", "agentcore-native"))
    assert native["layers"][:-1] == python["layers"]
    assert len(python["layers"]) == 2
    file = take(tmp_path / "bad", record, "agentcore-python", MAIN, tmp_path / "main.py")
    assert subprocess.run([sys.executable, file], capture_output=True, check=False).returncode == 1
    layer = read_tar(tmp_path / "bad/blobs/sha256" / python["layers"][-1][7:])
    assert any(path.endswith(".wh.__main__.cpython-311.pyc") for path in layer)
    config = Release(tmp_path / "bad").config("agentcore-native")
    assert len(config["history"]) == len(config["rootfs"]["diff_ids"]) == 3


def test_no_healthcheck_is_gone_from_both(good: Path, tmp_path: Path) -> None:
    make(good, "no_healthcheck", tmp_path / "bad")
    release = Release(tmp_path / "bad")
    for key in ("agentcore-python", "agentcore-native"):
        assert "Healthcheck" not in release.config(key)["config"]
        assert release.config(key)["config"]["Labels"]["a"] == "b"
    assert "Healthcheck" in release.config("monitor-agent")["config"]


def test_copy_takes_a_release_aside_once(good: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(SHARED / "broken.py"), "copy", "--release", str(good)]
    for changed in (True, False):
        done = subprocess.run(
            [*command, "--to", str(tmp_path / "x")], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["changed"] is changed
    assert Release(tmp_path / "x").images == Release(good).images
    make(good, "none", tmp_path / "other")
    command[4] = str(tmp_path / "other")
    for arguments, changed in (["--keep"], False), ([], True):
        command_line = [*command, "--to", str(tmp_path / "x"), *arguments]
        done = subprocess.run(command_line, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["changed"] is changed
    assert spoiled(tmp_path / "x") == []


def test_flip_changes_one_byte_of_a_copy(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    command = [sys.executable, str(SHARED / "broken.py"), "flip", "--file", str(tmp_path / "a")]
    subprocess.run([*command, "--to", str(tmp_path / "b")], check=True, capture_output=True)
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert (tmp_path / "b").read_bytes() == b"a\x9dc"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("make", "--release", "nowhere", "--fault", "hangs", "--to", "x"), "no release record"),
        (("flip", "--file", "nothing", "--to", "y"), "nothing"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SHARED / "broken.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 64
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_that_needs_what_is_not_there_says_so(good: Path, tmp_path: Path) -> None:
    record = json.loads((good / "release.json").read_text())
    del record["images"]["agentcore-native"]
    (tmp_path / "release.json").write_text(json.dumps(record))
    command = [sys.executable, str(SHARED / "broken.py"), "make", "--release", str(tmp_path)]
    done = subprocess.run(
        [*command, "--fault", "hangs", "--to", str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    assert "has no image agentcore-native" in done.stderr


def test_shared_objects_are_the_same_each_time() -> None:
    assert shared_object("hangs.c") == shared_object("hangs.c")
