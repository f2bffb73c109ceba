"""``node_time_seconds``: the host's clock, to compare with Prometheus's own."""

from __future__ import annotations

from agentcore.performance.host import Host
from agentcore.performance.page import Page, scaled


class Collector:
    """The clock."""

    name = "time"

    def collect(self, host: Host, page: Page) -> None:
        """Write one gauge."""
        help_text = "System time in seconds since epoch (1970)."
        page.single("node_time_seconds", help_text, "gauge", scaled(host.now_micros(), 6))
