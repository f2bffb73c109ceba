"""``node_vmstat_*``: paging, faults and kills from ``/proc/vmstat``; untyped, as elsewhere."""

from __future__ import annotations

from agentcore.performance.host import Host
from agentcore.performance.page import Page


def _wanted(field: str) -> bool:
    """node_exporter's default selection, ``^(oom_kill|pgpg|pswp|pg.*fault).*``."""
    return field.startswith(("oom_kill", "pgpg", "pswp")) or (
        field.startswith("pg") and "fault" in field
    )


class Collector:
    """Paging, faults and kills."""

    name = "vmstat"

    def collect(self, host: Host, page: Page) -> None:
        """Write an untyped metric a field."""
        text = host.proc("vmstat")
        for number, line in text.lines():
            words = line.split()
            if words and _wanted(words[0]):
                page.single(
                    f"node_vmstat_{words[0]}",
                    f"/proc/vmstat information field {words[0]}.",
                    "untyped",
                    text.number(number, words[1] if len(words) > 1 else None),
                )
