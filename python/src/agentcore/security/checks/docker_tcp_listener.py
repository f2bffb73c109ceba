"""The Docker API is not offered over TCP without client certificates."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, pass_if, passed, unknown
from agentcore.security.host.daemon import SUBJECT, Daemon, judge
from agentcore.security.host.tree import Host, UnreadableError

_PLAIN_PORT = 2375
"""The port Docker uses for its API without TLS."""


def _run(host: Host) -> list[Outcome]:
    return judge(host, lambda daemon: _rule(host, daemon))


def _rule(host: Host, daemon: Daemon) -> Outcome:
    tcp = [place for place in daemon.list("hosts", "host") if place.startswith("tcp://")]
    try:
        plain = next((one for one in host.listeners if one.port == _PLAIN_PORT), None)
    except UnreadableError as problem:
        return unknown(SUBJECT, str(problem))
    if plain is not None:
        return failed(SUBJECT, f"{plain.place} listens")
    if not tcp:
        return passed(SUBJECT, "no tcp:// host, nothing listens on 2375")
    verified = daemon.switch("tlsverify") or False
    how = "with tlsverify" if verified else "without tlsverify"
    return pass_if(verified, SUBJECT, f"{', '.join(tcp)} {how}")


CHECK = Check(
    id="docker-tcp-listener",
    title="the Docker API is not offered over TCP without client certificates",
    severity="critical",
    reference="CIS Docker 1.6.0 2.7",
    fix="Remove tcp:// from `hosts` and `-H`, or set `tlsverify` with CA, certificate and key.",
    run=_run,
)
