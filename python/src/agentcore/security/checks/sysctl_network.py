"""The network stack believes no stranger: no redirects, no source routes, SYN cookies."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import judges
from agentcore.security.host.tree import Host

_WANTED = (
    ("net.ipv4.conf.all.accept_redirects", ("0",)),
    ("net.ipv4.conf.all.accept_source_route", ("0",)),
    ("net.ipv4.conf.all.rp_filter", ("1", "2")),
    ("net.ipv4.conf.all.send_redirects", ("0",)),
    ("net.ipv4.conf.default.accept_redirects", ("0",)),
    ("net.ipv4.icmp_echo_ignore_broadcasts", ("1",)),
    ("net.ipv4.tcp_syncookies", ("1", "2")),
    ("net.ipv6.conf.all.accept_redirects", ("0",)),
    ("net.ipv6.conf.all.accept_source_route", ("0", "-1")),
)


def _run(host: Host) -> list[Outcome]:
    return judges.sysctls(host, _WANTED)


CHECK = Check(
    id="sysctl-network",
    title="the network stack believes no stranger",
    severity="medium",
    reference="Lynis KRNL-6000",
    fix="Set the value in /etc/sysctl.d/60-hardening.conf and run `sysctl --system`.",
    run=_run,
)
