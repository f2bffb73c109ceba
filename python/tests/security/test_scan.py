"""Scope and scanner, in both implementations: real listeners, and a firewall in a namespace."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from agentcore.errors import InputError
from agentcore.integration import RustIntegrationManager
from agentcore.security import FastSecurityTools, OutOfScopeError, twin

COMPONENT = "agent_security_tools"
SCOPE = {
    "schema": 1,
    "owner": "ops",
    "networks": ["127.0.0.1/32", "::1/128", "10.0.0.0/24"],
    "hosts": [{"name": "loop", "address": "127.0.0.1"}, {"name": "six", "address": "::1"}],
    "ports": [1],
}


@pytest.fixture
def tools(manager: RustIntegrationManager) -> FastSecurityTools:
    return FastSecurityTools(manager)


@contextmanager
def listeners(address: str, count: int) -> Iterator[list[int]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            one = stack.enter_context(socket.socket(family))
            one.bind((address, 0))
            one.listen(8)
            ports.append(one.getsockname()[1])
        yield sorted(ports)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_open_and_closed(tools: FastSecurityTools, address: str) -> None:
    with listeners(address, 20) as gone:
        pass
    with listeners(address, 20) as wanted:
        closed = sorted(set(gone) - set(wanted))
        report = tools.scan(json.dumps(SCOPE), [address], wanted + closed, timeout=0.5)
    (target,) = report["targets"]
    assert report["complete"] is True
    assert target["ports"]["open"] == twin_ranges(wanted)
    assert target["ports"]["closed"] == twin_ranges(closed)
    assert target["reasons"] == {"accepted": 20, "refused": len(closed)}


def twin_ranges(ports: list[int]) -> str:
    from agentcore.security.scanner import ranges

    return ranges(ports)


def test_both_name_the_same_states(
    both: tuple[RustIntegrationManager, RustIntegrationManager],
) -> None:
    with listeners("127.0.0.1", 10) as ports:
        asked = sorted({*ports, *range(1, 600)})
        reports = [
            FastSecurityTools(manager).scan(json.dumps(SCOPE), ["loop"], asked) for manager in both
        ]
    for report in reports:
        del report["duration_seconds"]
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("10.0.1.1", "no network of ops's scope file holds it"),
        ("::ffff:10.0.1.1", "no network of ops's scope file holds it"),
        ("0.0.0.0", "unspecified addresses are never scanned"),
        ("::", "unspecified addresses are never scanned"),
        ("224.0.0.1", "multicast addresses are never scanned"),
        ("ff02::1", "multicast addresses are never scanned"),
        ("255.255.255.255", "broadcast addresses are never scanned"),
        ("169.254.169.254", "cloud metadata addresses are never scanned"),
        ("fe80::1", "link-local addresses are never scanned"),
        ("example.org", "neither an address nor the name of a host in the scope file"),
    ],
)
def test_out_of_scope_is_refused(tools: FastSecurityTools, target: str, reason: str) -> None:
    with pytest.raises(OutOfScopeError) as refusal:
        tools.scan(json.dumps(SCOPE), ["loop", target], [22])
    assert str(refusal.value) == f"{target} is out of scope: {reason}"


NETWORK = "not a network; expected an address and a prefix such as 10.0.0.5/32"
REFUSED = [
    ({"schema": 2}, "scope: schema: missing or unknown; expected 1"),
    ({"schema": True}, "scope: schema: missing or unknown; expected 1"),
    ({"owner": " "}, "scope: owner: missing or empty; expected who answers for it"),
    (
        {"boss": 1},
        'scope: unknown key "boss"; expected schema, owner, networks, hosts, ports',
    ),
    ({"networks": ["10.0.0.1"]}, f"scope: networks[0]: {NETWORK}"),
    ({"networks": ["10.0.0.1/33"]}, f"scope: networks[0]: {NETWORK}"),
    ({"networks": ["10.0.0.1/255.0.0.0"]}, f"scope: networks[0]: {NETWORK}"),
    (
        {"networks": ["10.0.0.0/8"]},
        "scope: networks[0]: /8 is too wide to be meant; expected /16 or narrower",
    ),
    ({"ports": [0]}, "scope: ports[0]: not a port; expected 1 to 65535"),
    ({"ports": [True]}, "scope: ports[0]: not a port; expected 1 to 65535"),
    (
        {"hosts": [{"name": "x", "address": "x.example"}]},
        (
            "scope: hosts[0].address: not an address; "
            "expected an IPv4 or IPv6 address (names are not looked up)"
        ),
    ),
    (
        {"hosts": [{"name": "x", "address": "10.9.9.9"}]},
        (
            "scope: hosts[0].address: 10.9.9.9 is out of scope: "
            "no network of ops's scope file holds it; expected one in scope"
        ),
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_bad_scope_is_refused(
    tools: FastSecurityTools, change: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        tools.scope_hosts(json.dumps({**SCOPE, **change}))
    assert str(refusal.value) == message


WAIVERS = [
    ("{}", 'waivers: not a JSON list; expected a list of {"check", "subject", "reason"}'),
    ("[NaN]", 'waivers: not a JSON list; expected a list of {"check", "subject", "reason"}'),
    ("[1]", 'waivers[0]: not an object; expected "check", "subject" and "reason"'),
    (
        '[{"check":"docker-userns","subject":"*","reason":" "}]',
        "waivers[0].reason: missing or empty; expected why this is accepted",
    ),
    (
        '[{"check":"nope","subject":"*","reason":"x"}]',
        'waivers[0]: there is no check "nope"; expected an id from the catalog of checks',
    ),
    (
        '[{"check":"docker-userns","subject":"*","reason":"x","until":1}]',
        'waivers[0]: unknown key "until"; expected "check", "subject" and "reason"',
    ),
]


@pytest.mark.parametrize(("text", "message"), WAIVERS)
def test_bad_waivers_are_refused(tools: FastSecurityTools, text: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        tools.check_waivers(text)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0.0}, "scan: a timeout or deadline of 0; expected more than 0 seconds"),
        ({"timeout": -1.0}, "scan: timeout: not a time; expected a number of seconds"),
        ({"tries": 0}, "scan: 0 tries or sockets; expected 1 or more"),
        ({"ports": [0]}, "scan: ports: a number that is no port; expected 1 to 65535"),
        ({"ports": [65536]}, "scan: ports: a number that is no port; expected 1 to 65535"),
    ],
)
def test_options_that_make_no_sense(
    tools: FastSecurityTools, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        tools.scan(json.dumps(SCOPE), **options)  # type: ignore[arg-type]
    assert str(refusal.value) == message


FIREWALL = """
table inet t {
  chain c {
    type filter hook input priority 0
    tcp dport 2000-2099 drop
    tcp dport 2100-2109 reject with tcp reset
    tcp dport 2110-2112 reject with icmpx admin-prohibited
  }
}
"""
INNER = """
import importlib, json, socket, sys
module, scope = sys.argv[1], json.loads(sys.argv[2])
if module == "twin":
    from agentcore.security import twin as tools
else:
    from agentcore.integration import default_manager
    tools = default_manager().native("agent_security_tools")
one = socket.create_server(("127.0.0.1", 3000))
ports = [*range(1990, 2120), 3000]
out = [json.loads(tools.scan_ports(json.dumps(scope), ["127.0.0.1"], ports, timeout=0.4))]
out.append(json.loads(tools.scan_ports(json.dumps(scope), ["10.0.0.9"], [22, 80], timeout=0.4)))
options = {"timeout": 5.0, "deadline": 0.3, "max_sockets": 20}
out.append(json.loads(tools.scan_ports(json.dumps(scope), ["127.0.0.1"], ports[10:110], **options)))
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError:
    files.pop().close()
starved = tools.scan_ports(json.dumps(scope), ["127.0.0.1"], [1, 2, 3])
for file in files:
    file.close()
out.append(json.loads(starved))
print(json.dumps([[report["complete"], *report["targets"]] for report in out]))
"""


@pytest.fixture
def namespace(tmp_path: object) -> None:
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    for tool in ("unshare", "ip", "nft", "prlimit"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def test_a_firewall_and_our_own_failures_are_told_apart(
    manager: RustIntegrationManager, namespace: None
) -> None:
    module = "twin" if manager.native(COMPONENT) is None else "native"
    script = f'set -e; ip link set lo up; nft -f - <<"END"\n{FIREWALL}END\nexec "$@"'
    done = subprocess.run(
        ["unshare", "--net", "--", "sh", "-c", script, "sh", "prlimit", "--nofile=200",
         sys.executable, "-c", INNER, module, json.dumps(SCOPE)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    firewall, no_route, late, starved = json.loads(done.stdout)
    assert firewall[0] is True
    assert firewall[1]["ports"] == {
        "open": "3000",
        "closed": "1990-1999,2100-2109,2113-2119",
        "filtered": "2000-2099,2110-2112",
        "local_error": "",
        "skipped": "",
    }
    assert no_route[0] is False
    assert no_route[1]["counts"]["local_error"] == 2
    assert no_route[1]["reasons"] == {"ENETUNREACH": 2}
    assert late[0] is False
    assert late[1]["counts"]["skipped"] == 100
    assert starved[1]["reasons"] == {"EMFILE": 3}
    assert starved[1]["counts"]["closed"] == 0


def test_the_twin_finds_every_port_of_a_host() -> None:
    with listeners("127.0.0.1", 3) as ports:
        text = twin.scan_ports(json.dumps(SCOPE), ["loop"], list(range(1, 65536)))
    (target,) = json.loads(text)["targets"]
    assert target["counts"]["open"] + target["counts"]["closed"] == 65535
    assert target["counts"]["open"] >= len(ports)
