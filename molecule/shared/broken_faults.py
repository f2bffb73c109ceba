"""The faults that a release can be given. Each is one function that registers itself by name.

To add one: write a function that changes the Release it gets; put `@fault("name", "words")` on it.
"""

from __future__ import annotations

import dataclasses
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from broken_release import Node, Release, ReleaseError, flip_byte, with_parents

SOURCES = Path(__file__).resolve().parent / "faults"
EXTENSION = "opt/agentcore/lib/agent_core_utils.abi3.so"
MAIN = "opt/agentcore/app/agentcore/__main__.py"
COMPILE_TIMEOUT = 60

Change = Callable[[Release], Callable[[Path], None] | None]
#: name -> (what it does, the function). A function may answer another one, which gets the folder
#: once it is written.
FAULTS: dict[str, tuple[str, Change]] = {}


def fault(name: str, words: str) -> Callable[[Change], Change]:
    """Registers a fault."""

    def register(change: Change) -> Change:
        FAULTS[name] = (words, change)
        return change

    return register


def compile_c(source: str, *flags: str, real: bytes = b"", program: Path | None = None) -> bytes:
    """Compiles a file of faults/; the same inputs and compiler give the same bytes.

    real, program: what an extension embeds, see faults/wrong_results.c. Raises ReleaseError.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Fixed names in a folder of its own: no path of this machine gets into the result.
        (folder / source).write_bytes((SOURCES / source).read_bytes())
        (folder / "real").write_bytes(real)
        (folder / "program").write_bytes((program or SOURCES / "wrong_results.py").read_bytes())
        embed = ['-DREAL="real"', '-DSOURCE="program"']
        command = ["gcc", "-O1", "-s", *flags, *embed, "-Wl,--build-id=none", "-o", "out", source]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=COMPILE_TIMEOUT,
                check=False,
            )
        except FileNotFoundError as error:
            raise ReleaseError("gcc is not installed: apt-get install gcc libc6-dev") from error
        if done.returncode != 0:
            raise ReleaseError(f"gcc {source} failed: {done.stderr.strip()[-800:]}")
        return (folder / "out").read_bytes()


def shared_object(source: str, real: bytes = b"") -> bytes:
    """An extension module compiled from a file of faults/."""
    return compile_c(source, "-shared", "-fPIC", real=real)


def swap_file(
    release: Release, key: str, path: str, make: Callable[[bytes], bytes], name: str
) -> None:
    """Changes one file of an image's last layer."""
    nodes = release.layer(key, -1)
    if path not in nodes:
        raise ReleaseError(f"the last layer of {key} has no {path}: is this a native release?")
    nodes[path] = dataclasses.replace(nodes[path], content=make(nodes[path].read()))
    layer = release.add_layer(key, list(nodes.values()))
    release.replace(key, name, layers=[*release.image(key)["layers"][:-1], layer])


def _extension(name: str, words: str, *, embed_real: bool = False) -> None:
    @fault(name, words)
    def change(release: Release) -> None:
        def make(real: bytes) -> bytes:
            return shared_object(f"{name}.c", real if embed_real else b"")

        swap_file(release, "agentcore-native", EXTENSION, make, name)


_extension("missing_symbol", "agent_core_utils needs a symbol that no library has")
_extension("kills_process", "importing agent_core_utils aborts the process")
_extension("wrong_results", "agent_core_utils answers wrongly", embed_real=True)
_extension("hangs", "importing agent_core_utils never ends")


@fault("agent_exits", "the monitor-agent exits at start")
def agent_exits(release: Release) -> None:
    """Another program in the monitor-agent's place."""

    def make(_: bytes) -> bytes:
        return compile_c("exits_at_start.c", "-static")

    swap_file(release, "monitor-agent", "monitor-agent", make, "agent_exits")


@fault("python_broken", "the Python of both flavors can't start")
def python_broken(release: Release) -> None:
    """One more layer on the Python-only image; the native image, if any, stands on it too."""
    key = "agentcore-python"
    cached = f"{MAIN.rpartition('/')[0]}/__pycache__/.wh.__main__.cpython-311.pyc"
    # Bytecode in images is not checked against its source, so the old one must go for the new
    # source to count.
    nodes = [
        Node(MAIN, content=(SOURCES / "broken_main.py").read_bytes()),
        Node(cached, kind="whiteout"),
    ]
    below = release.image(key)["layers"]
    layer = release.add_layer(key, with_parents(nodes))
    titles = [line["created_by"] for line in release.config(key)["history"]]
    release.replace(key, "python_broken", [*below, layer], [*titles, "fault: python_broken"])
    if "agentcore-native" in release.images:
        above = release.image("agentcore-native")["layers"][len(below) :]
        lines = [line["created_by"] for line in release.config("agentcore-native")["history"]]
        history = [*titles, "fault: python_broken", *lines[len(titles) :]]
        release.replace("agentcore-native", "python_broken", [*below, layer, *above], history)


@fault("none", "nothing is wrong: the same programs under another release id")
def none(release: Release) -> None:
    """Only the labels of the AGENTCore images differ."""
    for key in [key for key in release.images if key.startswith("agentcore-")]:
        release.replace(key, "none")


@fault("no_healthcheck", "the AGENTCore images declare no healthcheck")
def no_healthcheck(release: Release) -> None:
    """Takes the healthcheck out of the configuration of every AGENTCore image."""

    def change(config: dict[str, Any]) -> None:
        config["config"].pop("Healthcheck", None)

    for key in [key for key in release.images if key.startswith("agentcore-")]:
        release.replace(key, "no_healthcheck", change=change)


@fault("flipped_byte", "one byte of a layer is not what its name says")
def flipped_byte(release: Release) -> Callable[[Path], None]:
    """A transport error: the record is right, the smallest layer is not."""
    layers = {layer for entry in release.images.values() for layer in entry["layers"]}
    victim = min(layers, key=lambda layer: (release.size(layer), layer))

    def spoil(folder: Path) -> None:
        path = folder / "blobs" / "sha256" / victim.removeprefix("sha256:")
        flip_byte(path, path.stat().st_size // 2)

    return spoil
