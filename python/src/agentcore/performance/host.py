"""The host as the collectors see it: its files, its clock, its file systems."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from agentcore.performance.contract import Recording
from agentcore.performance.page import U64
from agentcore.performance.statter import Capacity, Statter

STATVFS_SECONDS = 2.0
"""How long the file systems of one scrape may take together."""


class CollectError(Exception):
    """Why a collector gave nothing. The scrape goes on without it."""


class NoDataError(CollectError):
    """The kernel doesn't offer this here; not worth a log line."""


class MissingError(CollectError):
    """A file isn't there."""


def parse_number(word: str) -> int | None:
    """Read digits only, as the kernel writes numbers, up to 64 bits."""
    if word.isascii() and word.isdigit():
        number = int(word)
        return number if number <= U64 else None
    return None


def quoted(word: str) -> str:
    """Quote a word for a message."""
    return json.dumps(word, ensure_ascii=False)


class Text:
    """A file that was read, and its path for the messages. Bytes not UTF-8 become U+FFFD."""

    def __init__(self, path: str) -> None:
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # Path costs a scrape 10 %
                self.content = file.read().decode("utf-8", "replace")
        except FileNotFoundError as error:
            raise MissingError(f"{path}: {error.strerror}") from None
        except OSError as error:
            raise CollectError(f"{path}: {error.strerror}") from None
        self.path = path

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers, counted from 1."""
        lines = self.content.split("\n")
        if not lines[-1]:
            lines.pop()
        return ((number, line.removesuffix("\r")) for number, line in enumerate(lines, 1))

    def wrong(self, line: int, what: str) -> CollectError:
        """Make an error about one line."""
        return CollectError(f"{self.path}: line {line}: {what}")

    def number(self, line: int, word: str | None) -> int:
        """Read a word that must be a whole number."""
        if word is None:
            raise self.wrong(line, "a number is missing")
        number = parse_number(word)
        if number is None:
            raise self.wrong(line, f"expected a whole number, found {quoted(word)}")
        return number


@dataclass(slots=True)
class Host:
    """Where the host's trees are, and the recording that stands for what isn't a file."""

    procfs: str
    sysfs: str
    rootfs: str
    textfile_directory: str | None
    recording: Recording | None
    statter: Statter

    def proc(self, name: str) -> Text:
        """Read a file below the procfs."""
        return Text(os.path.join(self.procfs, name))  # noqa: PTH118

    def now_micros(self) -> int:
        """Microseconds since 1970."""
        return self.recording[0] if self.recording else time.time_ns() // 1000

    def capacity(self, mount_point: str, budget: float) -> Capacity | str:
        """``statvfs`` of a mount point below the root, or why there is none."""
        if self.recording:
            known = self.recording[1].get(mount_point)
            return "No such file or directory" if known is None else known
        path = os.path.join(self.rootfs, mount_point.lstrip("/"))  # noqa: PTH118
        return self.statter.stat(path, budget)
