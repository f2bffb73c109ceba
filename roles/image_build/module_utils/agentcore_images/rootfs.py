"""Debian root file systems by mmdebstrap, remembered by what was asked for."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from .context import Context
from .errors import BuildError
from .process import run
from .store import key_of, replacing
from .tree import Tree, read_tar

MERGED_USR_HOOK = Path("/usr/share/mmdebstrap/hooks/maybe-merged-usr")
# Nothing of these is ever read in a container; the licenses stay.
NOT_UNPACKED = ("man", "locale", "info", "lintian", "bug", "doc")
OPTIONS = [
    "--variant=essential",
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in NOT_UNPACKED),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
]


@dataclass(frozen=True)
class Rootfs:
    """A root file system as asked for. ``serial`` only tells one request from a later one."""

    suite: str
    packages: tuple[str, ...]
    mirror: str
    architecture: str
    epoch: int
    serial: str

    @property
    def key(self) -> str:
        """The name under which it is remembered."""
        return key_of(asdict(self), OPTIONS)

    def folder(self, ctx: Context) -> Path:
        """Where it is, once made: ``rootfs.tar`` and ``packages.txt``."""
        return ctx.cache / "rootfs" / self.key

    def tree(self, ctx: Context) -> Tree:
        """Return its entries, after making it if it is not there."""
        folder = self.folder(ctx)
        if not (folder / "rootfs.tar").is_file():
            self._make(ctx, folder)
        return read_tar(folder / "rootfs.tar")

    def packages_installed(self, ctx: Context) -> list[str]:
        """Return ``NAME VERSION`` of each package in it."""
        self.tree(ctx) if not self.folder(ctx).is_dir() else None
        return (self.folder(ctx) / "packages.txt").read_text("utf-8").splitlines()

    def _make(self, ctx: Context, folder: Path) -> None:
        program = shutil.which("mmdebstrap")
        if program is None:
            raise BuildError(
                "mmdebstrap",
                "is not installed",
                "install the Debian package mmdebstrap, or name a base image in "
                "image_build_base_image",
            )
        what = "+".join(self.packages) or "essential packages"
        command = [program, *OPTIONS, f"--architectures={self.architecture}", "--format=tar"]
        if MERGED_USR_HOOK.is_dir():
            # Without it, Debian 12's usrmerge pulls the whole of Perl in: 48 MB.
            command.append(f"--hook-dir={MERGED_USR_HOOK}")
        if self.packages:
            command.append(f"--include={','.join(self.packages)}")
        with ctx.step(f"Debian {self.suite}: {what}"), replacing(folder) as part:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            command += [
                self.suite,
                str(part / "rootfs.tar"),
                *([self.mirror] if self.mirror else []),
            ]
            env = {
                **os.environ,
                "SOURCE_DATE_EPOCH": str(self.epoch),
                "DEBIAN_FRONTEND": "noninteractive",
                "LC_ALL": "C.UTF-8",
            }
            log = ctx.cache / "logs" / f"mmdebstrap-{self.key}.log"
            run(command, log, ctx.timeout_seconds, ctx.say, env=env)
            (part / "packages.txt").write_text(_packages(read_tar(part / "rootfs.tar")), "utf-8")


def _packages(tree: Tree) -> str:
    lines = []
    status = tree["var/lib/dpkg/status"].read().decode("utf-8")
    for paragraph in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if line.startswith(("Package: ", "Version: "))
        )
        if fields:
            lines.append(f"{fields['Package']} {fields['Version']}")
    return "\n".join(sorted(lines)) + "\n"
