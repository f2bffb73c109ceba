"""``node_memory_*``, every field of ``/proc/meminfo``."""

from __future__ import annotations

from agentcore.performance.host import Host, quoted
from agentcore.performance.page import Page, saturate


class Collector:
    """Memory."""

    name = "meminfo"

    def collect(self, host: Host, page: Page) -> None:
        """Write a gauge a field: ``Active(anon):`` is ``node_memory_Active_anon_bytes``."""
        text = host.proc("meminfo")
        for number, line in text.lines():
            words = line.split()
            if not words:
                continue
            value = text.number(number, words[1] if len(words) > 1 else None)
            field = words[0].rstrip(":").replace("(", "_").replace(")", "")
            if len(words) > 2:
                if words[2] != "kB":
                    raise text.wrong(number, f"unknown unit {quoted(words[2])}")
                field += "_bytes"
                value = saturate(value * 1024)
            help_text = f"Memory information field {field}."
            page.single(f"node_memory_{field}", help_text, "gauge", value)
