"""``node_disk_*``, from ``/proc/diskstats`` (Documentation/admin-guide/iostats.rst)."""

from __future__ import annotations

import re

from agentcore.performance.host import Host
from agentcore.performance.page import Kind, Page, saturate, scaled

# Metric, help, unit, type; in the order of the file's columns after the device's name. A sector
# is 512 bytes, whatever the disk's own sectors are.
_COLUMNS: tuple[tuple[str, str, str, Kind], ...] = (
    (
        "reads_completed_total",
        "The total number of reads completed successfully.",
        "count",
        "counter",
    ),
    ("reads_merged_total", "The total number of reads merged.", "count", "counter"),
    ("read_bytes_total", "The total number of bytes read successfully.", "sectors", "counter"),
    (
        "read_time_seconds_total",
        "The total number of seconds spent by all reads.",
        "millis",
        "counter",
    ),
    (
        "writes_completed_total",
        "The total number of writes completed successfully.",
        "count",
        "counter",
    ),
    ("writes_merged_total", "The number of writes merged.", "count", "counter"),
    (
        "written_bytes_total",
        "The total number of bytes written successfully.",
        "sectors",
        "counter",
    ),
    (
        "write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
        "millis",
        "counter",
    ),
    ("io_now", "The number of I/Os currently in progress.", "count", "gauge"),
    ("io_time_seconds_total", "Total seconds spent doing I/Os.", "millis", "counter"),
    (
        "io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        "millis",
        "counter",
    ),
    (
        "discards_completed_total",
        "The total number of discards completed successfully.",
        "count",
        "counter",
    ),
    ("discards_merged_total", "The total number of discards merged.", "count", "counter"),
    (
        "discarded_sectors_total",
        "The total number of sectors discarded successfully.",
        "count",
        "counter",
    ),
    (
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        "millis",
        "counter",
    ),
    (
        "flush_requests_total",
        "The total number of flush requests completed successfully",
        "count",
        "counter",
    ),
    (
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        "millis",
        "counter",
    ),
)
_ALWAYS = 11  # columns that every kernel since 2.6.25 has; later ones may be missing
# node_exporter's default exclusion: RAM disks, loops, floppies and partitions.
EXCLUDED = re.compile(r"(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+", re.ASCII)


class Collector:
    """Disks."""

    name = "diskstats"

    def collect(self, host: Host, page: Page) -> None:
        """Write up to seventeen families."""
        text = host.proc("diskstats")
        disks: list[tuple[str, list[int]]] = []
        for number, line in text.lines():
            words = line.split()
            if len(words) < 3:
                raise text.wrong(number, "expected MAJOR MINOR NAME and numbers")
            if EXCLUDED.fullmatch(words[2]):
                continue
            values = [text.number(number, word) for word in words[3 : 3 + len(_COLUMNS)]]
            if len(values) < _ALWAYS:
                raise text.wrong(number, "a number is missing")
            disks.append((words[2], values))
        for index, (name, help_text, unit, kind) in enumerate(_COLUMNS):
            having = [(device, values[index]) for device, values in disks if len(values) > index]
            if not having:
                continue
            page.family(f"node_disk_{name}", help_text, kind)
            for device, value in having:
                shown: int | str = value
                if unit == "sectors":
                    shown = saturate(value * 512)
                elif unit == "millis":
                    shown = scaled(value, 3)
                page.sample({"device": device}, shown)
