"""``node_filesystem_*``: the mounts of process 1, asked by ``statvfs`` below the root."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from agentcore.performance.host import STATVFS_SECONDS, CollectError, Host, Text
from agentcore.performance.page import Page, saturate
from agentcore.performance.statter import Capacity

# File systems without a size of their own (node_exporter's default exclusion).
_VIRTUAL = frozenset(
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs erofs fusectl "
    "hugetlbfs iso9660 mqueue nsfs overlay proc procfs pstore rpc_pipefs securityfs selinuxfs "
    "squashfs sysfs tracefs fuse.lxcfs fuse-overlayfs fuse.fuse-overlayfs".split()
)
# node_exporter's default exclusion of mount points.
EXCLUDED = re.compile(
    r"/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
    re.DOTALL,
)
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")


@dataclass(frozen=True, slots=True)
class _Mount:
    device: str
    fstype: str
    point: str
    path: str
    read_only: bool


def unescape(word: str) -> bytes:
    r"""Undo ``\040`` and the like."""
    return _OCTAL.sub(lambda code: bytes([int(code[1], 8)]), word.encode())


def _mounts(text: Text) -> list[_Mount]:
    seen: set[tuple[str, str, str]] = set()
    mounts: list[_Mount] = []
    for number, line in text.lines():
        # 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
        head, separator, tail = line.partition(" - ")
        if not separator:
            raise text.wrong(number, 'expected the separator " - "')
        left, right = head.split(" "), tail.split(" ")
        if len(left) < 6 or len(right) < 2:
            raise text.wrong(number, "fields are missing")
        options = left[5].split(",") + (right[2].split(",") if len(right) > 2 else [])
        raw = unescape(left[4])
        point = raw.decode("utf-8", "replace")
        device = unescape(right[1]).decode("utf-8", "replace")
        if right[0] in _VIRTUAL or EXCLUDED.match(point):
            continue
        if (device, point, right[0]) not in seen:
            seen.add((device, point, right[0]))
            mounts.append(_Mount(device, right[0], point, os.fsdecode(raw), "ro" in options))
    return mounts


_FIGURES: tuple[tuple[str, str, Callable[[Capacity], int]], ...] = (
    (
        "avail_bytes",
        "Filesystem space available to non-root users in bytes.",
        lambda of: saturate(of[3] * of[0]),
    ),
    ("files", "Filesystem total file nodes.", lambda of: of[4]),
    ("files_free", "Filesystem total free file nodes.", lambda of: of[5]),
    ("free_bytes", "Filesystem free space in bytes.", lambda of: saturate(of[2] * of[0])),
    ("size_bytes", "Filesystem size in bytes.", lambda of: saturate(of[1] * of[0])),
)


class Collector:
    """File systems."""

    name = "filesystem"

    def collect(self, host: Host, page: Page) -> None:
        """Write seven families of gauges."""
        try:
            text = host.proc("1/mountinfo")
        except CollectError:
            text = host.proc("self/mountinfo")
        end = time.monotonic() + STATVFS_SECONDS
        found: list[tuple[dict[str, str], _Mount, Capacity | str]] = []
        for mount in _mounts(text):
            answer = host.capacity(mount.path, end - time.monotonic())
            error = answer if isinstance(answer, str) else ""
            if error:
                page.warn(f"{mount.point}: {error}")
            labels = {
                "device": mount.device,
                "device_error": error,
                "fstype": mount.fstype,
                "mountpoint": mount.point,
            }
            found.append((labels, mount, answer))
        page.family(
            "node_filesystem_device_error",
            "Whether an error occurred while getting statistics for the given device.",
            "gauge",
        )
        for labels, _, answer in found:
            page.sample(labels, int(isinstance(answer, str)))
        for name, help_text, figure in _FIGURES:
            page.family(f"node_filesystem_{name}", help_text, "gauge")
            for labels, _, answer in found:
                if not isinstance(answer, str):
                    page.sample(labels, figure(answer))
        page.family("node_filesystem_readonly", "Filesystem read-only status.", "gauge")
        for labels, mount, _ in found:
            page.sample(labels, int(mount.read_only))
