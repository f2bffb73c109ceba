"""``node_cpu_seconds_total`` and the guests' share, from ``/proc/stat``, ticks of 1/100 s."""

from __future__ import annotations

from agentcore.performance.host import Host
from agentcore.performance.page import Page, scaled

# The columns of /proc/stat after the name: eight modes, then two for guests (proc(5)).
_FIELDS = 10
_MODES = (
    ("idle", 3),
    ("iowait", 4),
    ("irq", 5),
    ("nice", 1),
    ("softirq", 6),
    ("steal", 7),
    ("system", 2),
    ("user", 0),
)
_GUEST_MODES = (("nice", 9), ("user", 8))
JITTER_TICKS = 300
"""A step back of less than this is the kernel's idle and iowait accounting, not a restart
(node_exporter uses the same 3 seconds). A counter that went back would look like a spike."""


class Collector:
    """Processor time; remembers the last figures, as the kernel's may go back a little."""

    name = "cpu"

    def __init__(self) -> None:
        self._last: dict[str, list[int]] = {}

    def collect(self, host: Host, page: Page) -> None:
        """Write two families of counters."""
        text = host.proc("stat")
        found: list[tuple[str, list[int]]] = []
        for number, line in text.lines():
            if not line.startswith("cpu") or line.startswith("cpu "):
                continue  # the line of all processors together is no processor's
            words = line[3:].split()
            if not words:
                continue
            ticks = [0] * _FIELDS
            for index in range(_FIELDS):
                word = words[index + 1] if len(words) > index + 1 else None
                # Old kernels have fewer columns; four are there since 2.4.
                if word is None and index >= 4:
                    break
                ticks[index] = text.number(number, word)
            found.append((words[0], self._smooth(words[0], ticks)))
        if not found:
            raise text.wrong(1, "there is no line for a processor")
        page.family(
            "node_cpu_guest_seconds_total",
            "Seconds the CPUs spent in guests (VMs) for each mode.",
            "counter",
        )
        _write(page, found, _GUEST_MODES)
        page.family("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", "counter")
        _write(page, found, _MODES)
        self._last = dict(found)

    def _smooth(self, cpu: str, ticks: list[int]) -> list[int]:
        last = self._last.get(cpu)
        if last is None:
            return ticks
        return [
            before if now < before and before - now < JITTER_TICKS else now
            for now, before in zip(ticks, last, strict=True)
        ]


def _write(
    page: Page, found: list[tuple[str, list[int]]], modes: tuple[tuple[str, int], ...]
) -> None:
    for cpu, ticks in found:
        for mode, column in modes:
            page.sample({"cpu": cpu, "mode": mode}, scaled(ticks[column], 2))
