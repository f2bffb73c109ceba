"""Pressure stall information: ``/proc/pressure/{cpu,io,irq,memory}``, microseconds since boot."""

from __future__ import annotations

from agentcore.performance.host import (
    CollectError,
    Host,
    MissingError,
    NoDataError,
    Text,
    parse_number,
    quoted,
)
from agentcore.performance.page import Page, scaled

# File, its line, metric, help. `cpu` has a `full` line too, which says nothing on a whole host.
_FIGURES = (
    (
        "cpu",
        "some",
        "cpu_waiting",
        "Total time in seconds that processes have waited for CPU time",
    ),
    (
        "io",
        "some",
        "io_waiting",
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    (
        "io",
        "full",
        "io_stalled",
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    (
        "memory",
        "some",
        "memory_waiting",
        "Total time in seconds that processes have waited for memory",
    ),
    (
        "memory",
        "full",
        "memory_stalled",
        "Total time in seconds no process could make progress due to memory congestion",
    ),
    (
        "irq",
        "full",
        "irq_stalled",
        "Total time in seconds no process could make progress due to IRQ congestion",
    ),
)


class Collector:
    """Pressure."""

    name = "pressure"

    def collect(self, host: Host, page: Page) -> None:
        """Write up to six counters."""
        texts: dict[str, Text] = {}
        for file, line, metric, help_text in _FIGURES:
            if file not in texts:
                try:
                    texts[file] = host.proc(f"pressure/{file}")
                except CollectError as error:
                    if file == "irq":  # it came with 6.1 and is an option of the kernel
                        continue
                    if isinstance(error, MissingError):
                        raise NoDataError(str(error)) from None
                    raise
            micros = _total(texts[file], line)
            name = f"node_pressure_{metric}_seconds_total"
            page.single(name, help_text, "counter", scaled(micros, 6))


def _total(text: Text, wanted: str) -> int:
    for number, line in text.lines():
        words = line.split()
        if words and words[0] == wanted:
            totals = [word[6:] for word in words[1:] if word.startswith("total=")]
            value = parse_number(totals[0]) if totals else None
            if value is None:
                raise text.wrong(number, "expected total= with a whole number")
            return value
    raise text.wrong(1, f"there is no line {quoted(wanted)}")
