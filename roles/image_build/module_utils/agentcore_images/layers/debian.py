"""``debian``: packages of Debian; on top of another such layer, the difference to it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..bytecode import with_bytecode
from ..context import Context
from ..errors import BuildError
from ..place import Place
from ..recipe import LayerSpec
from ..rootfs import Rootfs
from ..tree import Node, Tree, difference, with_parents

KEYS = {"packages", "users", "without"}
# What differs from one making to the next, or from host to host, or names a mirror.
DROPPED = re.compile(
    r"""
      etc/(?:resolv\.conf|hostname|machine-id|\.pwd\.lock|(?:passwd|group|shadow|gshadow|sub[ug]id)-)
    | etc/(?:apt|cron\.daily)(?:/.*)?
    | etc/ssh/ssh_host_.*
    | (?:dev|proc|sys|run|tmp|var/(?:log|cache|tmp|lib/apt|lib/systemd|lib/ucf))/.*
    | var/lib/dpkg/(?:.*-old|lock.*|triggers/Lock)
    | usr/share/(?:man|locale|info|lintian|bug|bash-completion)/.*
    | usr/share/doc/(?!.*copyright$).*\..*
    | (?:.*/)?__pycache__(?:/.*)?
    """,
    re.VERBOSE,
)
SET_ID_BITS = 0o6000
SECONDS_A_DAY = 86400


def rootfs_of(ctx: Context, specs: tuple[LayerSpec, ...]) -> Rootfs:
    """Return the root file system with the packages of all ``debian`` layers of ``specs``."""
    packages = {name for spec in specs if spec.kind == "debian" for name in _packages(spec)}
    return Rootfs(
        suite=ctx.suite,
        packages=tuple(sorted(packages)),
        mirror=ctx.mirror,
        architecture=ctx.architecture,
        epoch=ctx.epoch,
        serial=ctx.packages_serial,
    )


class Debian:
    """Options: ``packages``, a list of names; ``users``, a list of ``{name, id, home}``;
    ``without``, shell patterns of paths that go, with all below them.
    """

    def inputs(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Any]:
        """Both root file systems and the users of all layers up to this one."""
        below = [one.options for one in place.lower if one.kind == "debian"]
        lower = rootfs_of(ctx, place.lower).key if below else ""
        return [lower, rootfs_of(ctx, (*place.lower, spec)).key, below, spec.options]

    def sources(self, folder: str, spec: LayerSpec) -> list[str]:
        """The image's own folder."""
        return [f"images/{folder}"]

    def title(self, spec: LayerSpec) -> str:
        """The packages."""
        return "debian: " + (" ".join(_packages(spec)) or "essential packages")

    def components(self, ctx: Context, spec: LayerSpec) -> list[str]:
        """Listed once for the whole image; see ``bill_of_materials``."""
        return []

    def nodes(self, ctx: Context, place: Place, spec: LayerSpec) -> list[Node]:
        """The files of the packages, or what they change in the layers below."""
        upper = self._tree(ctx, place, (*place.lower, spec))
        if not any(one.kind == "debian" for one in place.lower):
            return with_parents(list(upper.values()))
        return difference(self._tree(ctx, place, place.lower), upper)

    def _tree(self, ctx: Context, place: Place, specs: tuple[LayerSpec, ...]) -> Tree:
        raw = rootfs_of(ctx, specs).tree(ctx)
        unwanted = _unwanted(specs)
        tree = {
            path: _harmless(node)
            for path, node in raw.items()
            if not DROPPED.fullmatch(path) and not unwanted(path)
        }
        for spec in specs:
            if spec.kind == "debian":
                _add_users(tree, spec, ctx.epoch)
        python = [n for n in tree.values() if re.match(r"usr/lib/python3.*\.py$", n.path)]
        if python:
            for node in with_bytecode(ctx, replace(place, lower=specs), python):
                tree[node.path] = node
        return tree


def _harmless(node: Node) -> Node:
    """Take the set-user-id and set-group-id bits from programs: nobody gains rights in here."""
    return replace(node, mode=node.mode & ~SET_ID_BITS) if node.kind == "file" else node


def _unwanted(specs: tuple[LayerSpec, ...]) -> Callable[[str], bool]:
    """Return a test for the paths that the layers say they can do without."""
    patterns = [
        f"(?:{fnmatch.translate(str(pattern).strip('/'))}|{fnmatch.translate(f'{pattern}/*'.strip('/'))})"
        for spec in specs
        if spec.kind == "debian"
        for pattern in (spec.options or {}).get("without") or []
    ]
    matcher = re.compile("|".join(patterns) or r"(?!)")
    return lambda path: matcher.match(path) is not None


def _packages(spec: LayerSpec) -> list[str]:
    options = spec.options or {}
    if not isinstance(options, dict) or set(options) - KEYS:
        raise BuildError(spec.where, "unknown options of debian", f"keys: {sorted(KEYS)}")
    names = options.get("packages") or []
    if not all(
        isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name) for name in names
    ):
        raise BuildError(spec.where, f"{names!r} is not a list of Debian package names")
    return list(names)


def _add_users(tree: Tree, spec: LayerSpec, epoch: int) -> None:
    lines: dict[str, list[str]] = {"etc/passwd": [], "etc/group": [], "etc/shadow": []}
    for user in (spec.options or {}).get("users") or []:
        name, number, home = user["name"], user["id"], user["home"]
        lines["etc/passwd"].append(f"{name}:x:{number}:{number}::{home}:/usr/sbin/nologin")
        lines["etc/group"].append(f"{name}:x:{number}:")
        lines["etc/shadow"].append(f"{name}:!:{epoch // SECONDS_A_DAY}:0:99999:7:::")
    for path, extra in lines.items():
        if path not in tree:
            continue
        have = tree[path].read().decode("utf-8").splitlines()
        if path == "etc/shadow":
            have = [_same_day(line, epoch) for line in have]
        names = {line.partition(":")[0] for line in have}
        have += [line for line in extra if line.partition(":")[0] not in names]
        tree[path] = replace(tree[path], content=("\n".join(have) + "\n").encode())


def _same_day(line: str, epoch: int) -> str:
    fields = line.split(":")
    fields[2] = str(epoch // SECONDS_A_DAY)
    return ":".join(fields)


KIND = Debian()
