"""``node_uname_info``, from ``/proc/sys/kernel``: the files say what ``uname(2)`` says."""

from __future__ import annotations

import os

from agentcore.performance.host import CollectError, Host
from agentcore.performance.page import Page


class Collector:
    """The system's names."""

    name = "uname"

    def collect(self, host: Host, page: Page) -> None:
        """Write one info metric."""

        def read(name: str) -> str:
            return host.proc(f"sys/kernel/{name}").content.rstrip("\n")

        try:
            machine = read("arch")
        except CollectError:
            # Kernels before 6.1 have no `arch`; this program runs on the machine it describes.
            machine = os.uname().machine
        labels = {
            "domainname": read("domainname"),
            "machine": machine,
            "nodename": read("hostname"),
            "release": read("osrelease"),
            "sysname": read("ostype"),
            "version": read("version"),
        }
        help_text = "Labeled system information as provided by the uname system call."
        page.family("node_uname_info", help_text, "gauge")
        page.sample(labels, 1)
