"""Tracked connections and their limit, where the kernel tracks them."""

from __future__ import annotations

from agentcore.performance.host import Host, MissingError, NoDataError
from agentcore.performance.page import Page

_FILES = (
    (
        "nf_conntrack_count",
        "node_nf_conntrack_entries",
        "Number of currently allocated flow entries for connection tracking.",
    ),
    (
        "nf_conntrack_max",
        "node_nf_conntrack_entries_limit",
        "Maximum size of connection tracking table.",
    ),
)


class Collector:
    """Connection tracking."""

    name = "conntrack"

    def collect(self, host: Host, page: Page) -> None:
        """Write two gauges."""
        for file, name, help_text in _FILES:
            try:
                text = host.proc(f"sys/net/netfilter/{file}")
            except MissingError as error:
                raise NoDataError(str(error)) from None
            page.single(name, help_text, "gauge", text.number(1, text.content.strip()))
