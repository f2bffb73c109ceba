"""``node_load*``, from ``/proc/loadavg``."""

from __future__ import annotations

from agentcore.performance.host import Host, quoted
from agentcore.performance.page import Page

_METRICS = (
    ("node_load1", "1m load average."),
    ("node_load5", "5m load average."),
    ("node_load15", "15m load average."),
)


class Collector:
    """Load averages."""

    name = "loadavg"

    def collect(self, host: Host, page: Page) -> None:
        """Write three gauges."""
        text = host.proc("loadavg")
        words = [*text.content.split()[:3], "", "", ""]
        for (name, help_text), word in zip(_METRICS, words, strict=False):
            digits = word.replace(".", "", 1)
            if not (digits.isascii() and digits.isdigit()):
                raise text.wrong(1, f"expected a number, found {quoted(word)}")
            page.single(name, help_text, "gauge", word)
