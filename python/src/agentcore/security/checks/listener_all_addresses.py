"""Services listen on the addresses they need, not on all of them."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed, unknown
from agentcore.security.host.tree import Host, UnreadableError


def _run(host: Host) -> list[Outcome]:
    try:
        listeners = host.listeners
    except UnreadableError as problem:
        return [unknown("listeners", str(problem))]
    outcomes = [
        failed(f"{one.proto}/{one.port}", f"{one.place} listens, owned by uid {one.uid}")
        for one in listeners
        if one.on_all_addresses
    ]
    return outcomes or [passed("listeners", f"{len(listeners)} listeners, each on one address")]


CHECK = Check(
    id="listener-all-addresses",
    title="services listen on the addresses they need, not on all of them",
    severity="medium",
    reference="Lynis NETW-3012",
    fix="Bind the service to a loopback or internal address, or waive the port with the reason.",
    run=_run,
)
