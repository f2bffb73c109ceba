"""``node_network_*`` counters per interface, from the host's own ``/proc/1/net/dev``.

``/proc/net`` is the reader's network namespace, even below a mounted host procfs; process 1's is
the host's. Interfaces of containers (``veth…``) come and go with them and are left out.
"""

from __future__ import annotations

from agentcore.performance.host import CollectError, Host
from agentcore.performance.page import Page

# The columns in the order of the file; proc(5).
_COLUMNS = (
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
)


class Collector:
    """Network interfaces."""

    name = "netdev"

    def collect(self, host: Host, page: Page) -> None:
        """Write sixteen families of counters."""
        try:
            text = host.proc("1/net/dev")
        except CollectError:
            # With hidepid=2 another user's process 1 isn't there; then we see our own namespace.
            text = host.proc("net/dev")
        devices: list[tuple[str, list[int]]] = []
        for number, line in text.lines():
            if number <= 2:
                continue
            name, colon, figures = line.rpartition(":")
            if not colon:
                raise text.wrong(number, "expected NAME: and 16 numbers")
            name = name.strip()
            if name.startswith("veth"):
                continue
            words: list[str | None] = [*figures.split(), *[None] * len(_COLUMNS)]
            values = [text.number(number, word) for word in words[: len(_COLUMNS)]]
            devices.append((name, values))
        for index, column in enumerate(_COLUMNS):
            help_text = f"Network device statistic {column}."
            page.family(f"node_network_{column}_total", help_text, "counter")
            for name, values in devices:
                page.sample({"device": name}, values[index])
