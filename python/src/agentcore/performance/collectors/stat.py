"""Boot time, context switches, forks, interrupts and the run queue, from ``/proc/stat``."""

from __future__ import annotations

from agentcore.performance.host import Host, quoted
from agentcore.performance.page import Kind, Page

_FIELDS: tuple[tuple[str, str, str, Kind], ...] = (
    ("btime", "node_boot_time_seconds", "Node boot time, in unixtime.", "gauge"),
    ("ctxt", "node_context_switches_total", "Total number of context switches.", "counter"),
    ("processes", "node_forks_total", "Total number of forks.", "counter"),
    ("intr", "node_intr_total", "Total number of interrupts serviced.", "counter"),
    (
        "procs_blocked",
        "node_procs_blocked",
        "Number of processes blocked waiting for I/O to complete.",
        "gauge",
    ),
    ("procs_running", "node_procs_running", "Number of processes in runnable state.", "gauge"),
)
_KEYS = frozenset(field[0] for field in _FIELDS)


class Collector:
    """The host since its boot."""

    name = "stat"

    def collect(self, host: Host, page: Page) -> None:
        """Write six figures."""
        text = host.proc("stat")
        values: dict[str, int] = {}
        for number, line in text.lines():
            words = line.split(maxsplit=2)
            if words and words[0] in _KEYS:
                values[words[0]] = text.number(number, words[1] if len(words) > 1 else None)
        for key, name, help_text, kind in _FIELDS:
            if key not in values:
                raise text.wrong(1, f"there is no line {quoted(key)}")
            page.single(name, help_text, kind, values[key])
