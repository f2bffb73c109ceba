"""Open files of the whole host, from ``/proc/sys/fs/file-nr``."""

from __future__ import annotations

from agentcore.performance.host import Host
from agentcore.performance.page import Page


class Collector:
    """File descriptors."""

    name = "filefd"

    def collect(self, host: Host, page: Page) -> None:
        """Write two gauges."""
        text = host.proc("sys/fs/file-nr")
        words = text.content.split()
        for index, what in ((0, "allocated"), (2, "maximum")):
            value = text.number(1, words[index] if len(words) > index else None)
            help_text = f"File descriptor statistics: {what}."
            page.single(f"node_filefd_{what}", help_text, "gauge", value)
