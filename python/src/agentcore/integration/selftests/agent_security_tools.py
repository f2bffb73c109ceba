"""What `agent_security_tools` must answer: the catalog, waivers, scope, an audit of a tiny host."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from agentcore.integration.selftests import Vector

__all__ = ["VECTORS"]

_SCOPE = json.dumps(
    {
        "schema": 1,
        "owner": "self-test",
        "networks": ["192.0.2.0/24"],
        "hosts": [{"name": "one", "address": "192.0.2.1"}],
        "ports": [],
    }
)
_WAIVERS = json.dumps(
    [
        {"check": "account-uid-zero", "subject": "too*", "reason": "self-test"},
        {"check": "sysctl-network", "subject": "net.ipv4.tcp_*", "reason": "self-test"},
    ]
)


def _refusal(tools: Any, targets: list[str]) -> str:
    try:
        tools.scan_ports(_SCOPE, targets, [9])
    except PermissionError as error:
        return str(error)
    return "not refused"


def _bad_waiver(tools: Any) -> str:
    try:
        tools.check_waivers('[{"check":"account-uid-zero","subject":"*"}]')
    except ValueError as error:
        return str(error)
    return "not refused"


def _audit(tools: Any) -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        etc, net = Path(folder, "rootfs/etc"), Path(folder, "proc/1/net")
        etc.mkdir(parents=True)
        net.mkdir(parents=True)
        (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n")
        (etc / "shadow").write_text("root:*:1::::::\nguest::1::::::\n")
        row = "   0: 00000000:0016 00000000:0000 0A 0:0 00:0 0 0 0 1 1 0 100 0 0 10 0\n"
        (net / "tcp").write_text(f"head\n{row}")
        # A folder in the place of a setting cannot be read: unknown, and a waiver may cover that.
        Path(folder, "proc/sys/net/ipv4/tcp_syncookies").mkdir(parents=True)
        places = (f"{folder}/rootfs", f"{folder}/proc")
        report = json.loads(tools.audit_host(*places, "h", 7, _WAIVERS))
    wanted = ("account-empty-password", "account-uid-zero", "listener-all-addresses")
    return [
        (finding["check"], finding["subject"], finding["status"])
        for finding in report["findings"]
        if finding["check"] in wanted or finding["subject"] == "net.ipv4.tcp_syncookies"
    ]


VECTORS: tuple[Vector, ...] = (
    Vector(
        "the catalog of checks",
        lambda tools: hashlib.sha256(tools.catalog().encode()).hexdigest(),
        "f3ef1fda14e669d763c78fd19d363e2c745453286b816d0deb782f48dbb6eb18",
    ),
    Vector("hosts of a scope", lambda tools: tools.scope_hosts(_SCOPE), [("one", "192.0.2.1")]),
    Vector(
        "an address out of scope",
        lambda tools: _refusal(tools, ["198.51.100.1"]),
        "198.51.100.1 is out of scope: no network of self-test's scope file holds it",
    ),
    Vector(
        "a waiver without a reason",
        _bad_waiver,
        "waivers[0].reason: missing or empty; expected why this is accepted",
    ),
    Vector(
        "an audit of a tiny host",
        _audit,
        [
            ("account-empty-password", "guest", "fail"),
            ("account-uid-zero", "toor", "waived"),
            ("listener-all-addresses", "tcp/22", "fail"),
            ("sysctl-network", "net.ipv4.tcp_syncookies", "waived"),
        ],
    ),
)
