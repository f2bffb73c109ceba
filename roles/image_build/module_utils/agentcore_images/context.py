"""What every layer of one build shares: where things are, what was asked for, how to report."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from .errors import BuildError
from .store import Store, hash_file, key_of

T = TypeVar("T")
NOT_INPUTS = [
    f":(exclude,glob)**/{name}"
    for name in ("*.md", "tests/**", "benches/**", "examples/**", "testkit/**")
]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Step:
    """One finished piece of work: what, how long in seconds, and if it was built or remembered."""

    name: str
    seconds: float
    built: bool


@dataclass
class Context:
    """One build. ``root`` is the project; every path in an ``image.yml`` is relative to it."""

    root: Path
    cache: Path
    release_dir: Path
    tools_dir: Path
    suite: str
    mirror: str
    packages_serial: str
    epoch: int
    native: str
    rust_profile: str
    python_version: str
    foreign_bases: dict[str, str]
    docker: str
    timeout_seconds: float
    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    _made: dict[str, object] = field(default_factory=dict)

    @cached_property
    def store(self) -> Store:
        """The blobs and results of earlier builds."""
        return Store(self.cache)

    @cached_property
    def machine(self) -> str:
        """The control host's machine name, which is the fleet's: ``x86_64`` or ``aarch64``."""
        name = platform.machine()
        if name not in ARCHITECTURES:
            raise BuildError("machine", f"{name} is not supported", "x86_64 or aarch64")
        return name

    @property
    def architecture(self) -> str:
        """The machine in the words of Debian and OCI."""
        return ARCHITECTURES[self.machine]

    @cached_property
    def version(self) -> str:
        """The project's version, from its VERSION file."""
        path = self.root / "VERSION"
        try:
            return path.read_text("utf-8").strip()
        except OSError as error:
            raise BuildError(str(path), f"cannot be read: {error.strerror}") from error

    @cached_property
    def engine_key(self) -> str:
        """A hash of the code that builds layers: other code, other results."""
        here = Path(__file__).parent
        return key_of(*(hash_file(path) for path in sorted(here.rglob("*.py"))))

    @cached_property
    def cargo(self) -> str | None:
        """The path of cargo, or None on a control host without a Rust tool chain."""
        return shutil.which("cargo") or shutil.which("cargo", path=str(Path.home() / ".cargo/bin"))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returned the first time in this build."""
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])

    @contextlib.contextmanager
    def step(self, name: str, built: bool = True) -> Iterator[None]:
        """Announce a piece of work, time it, and say how long it took."""
        if built:
            self.say(f"{name} ...")
        start = time.monotonic()
        yield
        seconds = time.monotonic() - start
        self.steps.append(Step(name, round(seconds, 3), built))
        if built:
            self.say(f"{name}: done in {seconds:.1f} s")

    def revision(self, paths: list[str]) -> str:
        """Return the last commit that touched ``paths``; ``unknown`` outside git.

        What reaches no image does not count, so that mending a text or a test replaces nothing.
        """
        command = [
            "git",
            "-C",
            str(self.root),
            "log",
            "-1",
            "--format=%H",
            "--",
            *paths,
            *NOT_INPUTS,
        ]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):
            return "unknown"
        return answer.stdout.strip() or "unknown"

    def hash_tree(self, folder: Path, skip: frozenset[str] = frozenset()) -> str:
        """Return a hash of the names, modes (executable or not) and contents below ``folder``."""
        digest = hashlib.sha256()
        for path in files_below(folder, skip):
            mode = "x" if path.stat().st_mode & 0o100 else "-"
            digest.update(f"{path.relative_to(folder)}\0{mode}\0{hash_file(path)}\n".encode())
        return digest.hexdigest()


def files_below(folder: Path, skip: frozenset[str] = frozenset()) -> list[Path]:
    """Return the files below ``folder`` in a fixed order, leaving out folders named in ``skip``.

    Caches of tools (``__pycache__`` and dotted folders) never count as sources; ``.cargo`` does.
    """
    found: list[Path] = []
    for entry in sorted(folder.iterdir(), key=lambda path: path.name):
        if entry.is_dir() and not entry.is_symlink():
            hidden = entry.name.startswith(".") and entry.name != ".cargo"
            if entry.name not in skip and entry.name != "__pycache__" and not hidden:
                found.extend(files_below(entry, skip))
        elif entry.is_file() and not entry.name.endswith((".pyc", ".swp", "~")):
            found.append(entry)
    return found
