"""Builds the Rust workspace once per state of its sources: static daemons, dynamic extensions.

The binaries do not depend on where the checkout lies: paths are remapped to fixed names.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .context import Context
from .errors import BuildError
from .process import run
from .store import hash_file, key_of, replacing

DAEMONS = ("monitor-agent", "orchestrator", "security-agent")
EXTENSIONS = (
    "agent_container_orchestrator",
    "agent_core_utils",
    "agent_performance_monitor",
    "agent_security_tools",
)
# Nothing of these reaches a binary.
NOT_SOURCES = frozenset({"target", "tests", "benches", "examples", "testkit"})
# Going back and forth between a few states of the sources costs no compilation.
KEPT_BUILDS = 5
STATIC = "target-feature=+crt-static"


@dataclass(frozen=True)
class Toolchain:
    """The compiler found: cargo's path, and what ``rustc -vV`` says of itself."""

    cargo: str
    description: str
    sysroot: str

    @property
    def commit(self) -> str:
        """The compiler's commit, as its own library's paths are written in binaries."""
        found = re.search(r"^commit-hash: (\S+)$", self.description, re.MULTILINE)
        return found.group(1) if found else "unknown"


def find(ctx: Context) -> Toolchain | None:
    """Return the tool chain, or None where the native flavor cannot or shall not be built.

    Raises:
        BuildError: native was demanded and there is no cargo, or the tool chain does not answer.
    """
    if ctx.native == "false":
        return None
    cargo = ctx.cargo
    if cargo is None or not (ctx.root / "rust" / "Cargo.toml").is_file():
        if ctx.native == "true":
            raise BuildError(
                "cargo",
                "is not installed",
                "install Rust 1.95 or newer, or set image_build_native to auto or false",
            )
        return None
    rustc = str(Path(cargo).with_name("rustc"))
    describe = _ask([rustc, "-vV"])
    return Toolchain(cargo, describe, _ask([rustc, "--print", "sysroot"]))


def _ask(command: list[str]) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(
            command[0], f"does not answer: {error}", "a working Rust tool chain"
        ) from error
    return answer.stdout.strip()


def source_key(ctx: Context, tools: Toolchain, workspace: Path | None = None) -> str:
    """Return a hash of all that decides the binaries: sources, lock file, compiler, profile."""
    tree = ctx.hash_tree(workspace or ctx.root / "rust", NOT_SOURCES)
    own = hash_file(Path(__file__))
    return key_of("rust", tree, tools.description, ctx.rust_profile, ctx.machine, own)


def artifacts(ctx: Context, tools: Toolchain, key: str) -> Path:
    """Return the folder with the daemons and, in ``lib/``, the extensions; build them if needed.

    A copy of the sources is compiled, so work in the checkout goes on without being mixed in.

    Raises:
        BuildError: the build fails, or the sources change while they are copied.
    """
    folder = ctx.cache / "rust" / key
    if folder.is_dir():
        return folder
    workspace = _copy(ctx)
    if source_key(ctx, tools, workspace) != key:
        raise BuildError("rust/", "the sources changed while they were copied", "build again")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ctx.root / "rust" / "target"))
    triple = f"{ctx.machine}-unknown-linux-gnu"
    out = "debug" if ctx.rust_profile == "dev" else ctx.rust_profile
    with ctx.step("Rust daemons, static"):
        packages = [f"--package={name}" for name in DAEMONS]
        _cargo(ctx, tools, workspace, target, [*packages, f"--target={triple}"], ["-C", STATIC])
    with ctx.step("Rust extensions for Python"):
        packages = [f"--package={name.replace('_', '-')}-py" for name in EXTENSIONS]
        _cargo(ctx, tools, workspace, target, packages, [])
    with replacing(folder) as part:
        shutil.rmtree(part, ignore_errors=True)
        (part / "lib").mkdir(parents=True)
        for name in DAEMONS:
            shutil.copyfile(target / triple / out / name, part / name)
        for name in EXTENSIONS:
            shutil.copyfile(target / out / f"lib{name}.so", part / "lib" / f"{name}.abi3.so")
    by_age = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-KEPT_BUILDS]:
        shutil.rmtree(old)
    return folder


def _copy(ctx: Context) -> Path:
    """Copy the workspace into the cache; times are kept, so cargo sees what did not change."""
    workspace = ctx.cache / "rust-sources"
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(
        ctx.root / "rust", workspace, symlinks=True, ignore=shutil.ignore_patterns("target")
    )
    return workspace


def _cargo(
    ctx: Context,
    tools: Toolchain,
    workspace: Path,
    target: Path,
    args: list[str],
    flags: list[str],
) -> None:
    cargo_home = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    standard = Path(tools.sysroot, "lib", "rustlib", "src", "rust")
    # The last matching prefix wins, so the more special ones come last.
    remap = {
        str(workspace): "/agentcore",
        str(target): "/agentcore/target",
        cargo_home: "/cargo",
        str(standard): f"/rustc/{tools.commit}",
    }
    flags = [*flags, *(f"--remap-path-prefix={old}={new}" for old, new in remap.items())]
    env = {key: value for key, value in os.environ.items() if key != "RUSTFLAGS"}
    env |= {
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CARGO_TARGET_DIR": str(target),
        # An extension is loaded by whatever Python the image has: it must not ask for a libpython
        # of its own, and the control host's Python must not show in it.
        "PYO3_BUILD_EXTENSION_MODULE": "1",
        "PYO3_NO_PYTHON": "1",
        "PATH": f"{Path(tools.cargo).parent}:{env.get('PATH', '')}",
    }
    command = [tools.cargo, "build", "--locked", f"--profile={ctx.rust_profile}", *args]
    log = ctx.cache / "logs" / f"cargo-{'static' if STATIC in flags else 'extensions'}.log"
    run(command, log, ctx.timeout_seconds, ctx.say, env=env, cwd=workspace)


def crates(ctx: Context) -> list[str]:
    """Return ``crate NAME VERSION`` for each package of the workspace's lock file."""
    lock = tomllib.loads((ctx.root / "rust" / "Cargo.lock").read_text("utf-8"))
    return [f"crate {one['name']} {one['version']}" for one in lock["package"]]
