"""One container's figures, and how cgroup files are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentcore.performance.host import parse_number


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel or the cgroup doesn't have is None; a limit of 0 is none (as in cAdvisor)."""

    cpu_nanos: int | None
    cpu_user_nanos: int | None
    cpu_system_nanos: int | None
    cfs_periods: int | None
    cfs_throttled_periods: int | None
    cfs_throttled_nanos: int | None
    memory_bytes: int | None
    memory_inactive_file_bytes: int | None
    memory_rss_bytes: int | None
    memory_cache_bytes: int | None
    memory_limit_bytes: int | None
    oom_kills: int | None
    threads: int | None
    threads_limit: int | None
    fs_read_bytes: int | None
    fs_written_bytes: int | None

    @property
    def working_set_bytes(self) -> int | None:
        """What the kernel can't simply take back; cAdvisor's and kubelet's definition."""
        if self.memory_bytes is None:
            return None
        return max(self.memory_bytes - (self.memory_inactive_file_bytes or 0), 0)

    @property
    def is_gone(self) -> bool:
        """Whether it ended between the listing and the reading: it has no figures at all."""
        return self.cpu_nanos is None and self.memory_bytes is None and self.threads is None


def read_text(path: str) -> str | None:
    """Read a file; None if it can't be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # Path costs a scrape 10 %
            return file.read().decode()
    except (OSError, UnicodeDecodeError):
        return None


def number_in(path: str) -> int | None:
    """Read a file's only number; ``max`` is 0."""
    text = read_text(path)
    if text is None:
        return None
    word = text.strip()
    return 0 if word == "max" else parse_number(word)


def keyed(path: str) -> Callable[[str], int | None]:
    """Read a file of ``key value`` lines."""
    values: dict[str, str] = {}
    for line in (read_text(path) or "").split("\n"):
        key, separator, value = line.partition(" ")
        if separator:
            values.setdefault(key, value.strip())
    return lambda key: parse_number(values[key]) if key in values else None
