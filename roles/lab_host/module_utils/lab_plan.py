"""Plans a lab: which host has which system, address and loopback ports. Pure, no engine, no clock.

Ports that were given once stay: a saved plan is extended, never reshuffled, so that a running lab
keeps its addresses.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any

#: Offset of the first host inside the lab's network; lower addresses are the bridge and room to
#: breathe.
FIRST_HOST = 11
#: The most hosts that one lab may have.
MOST_HOSTS = 60
NAME = re.compile(r"[a-z][a-z0-9-]{1,19}")


class PlanError(ValueError):
    """The wanted lab can't be planned; the message says what was wrong and what would be right."""


def check(name: str, count: int, suites: list[str], ports: list[int], span: list[int]) -> None:
    """Refuses a wish that can't become a lab, with one clear sentence."""
    if not NAME.fullmatch(name):
        raise PlanError(
            f"lab_host_name is {name!r}: "
            "use 2 to 20 lower-case letters, digits or dashes, a letter first"
        )
    if not 1 <= count <= MOST_HOSTS:
        raise PlanError(f"lab_host_count is {count}: use 1 to {MOST_HOSTS}")
    if not suites:
        raise PlanError(
            "lab_host_suites is empty: name at least one Debian suite, such as bookworm"
        )
    if 22 not in ports:
        raise PlanError(
            f"lab_host_published_ports is {ports}: 22 must be among them, Ansible needs it"
        )
    wrong = [port for port in ports if not 1 <= port <= 65535]
    if wrong or len(set(ports)) != len(ports):
        raise PlanError(f"lab_host_published_ports is {ports}: use different ports from 1 to 65535")
    if len(span) != 2 or not 1024 <= span[0] < span[1] <= 65535:
        raise PlanError(f"lab_host_port_range is {span}: use [first, last] within 1024 to 65535")


def pick_subnet(name: str, pool: str, busy: Iterable[str]) -> str:
    """The first free /24 of the pool, from a place that depends on the lab's name alone."""
    taken = [ipaddress.IPv4Network(network, strict=False) for network in busy if ":" not in network]
    try:
        rooms = list(ipaddress.IPv4Network(pool).subnets(new_prefix=24))
    except ValueError as error:
        raise PlanError(
            f"lab_host_address_pool is {pool!r}: {error}; use a network of /24 or larger"
        ) from error
    start = zlib.crc32(name.encode()) % len(rooms)
    for step in range(len(rooms)):
        room = rooms[(start + step) % len(rooms)]
        if not any(room.overlaps(other) for other in taken):
            return str(room)
    raise PlanError(
        f"no free /24 is left in lab_host_address_pool {pool}: give the lab another pool"
    )


def make(
    wish: dict[str, Any],
    subnet: str,
    saved: dict[str, Any],
    is_free: Callable[[int], bool],
) -> dict[str, Any]:
    """The plan of a lab.

    wish: name, count, suites, ports, span. saved: an earlier plan or {}.
    is_free(port): whether the loopback port can be had.
    Returns {"name", "subnet", "hosts": {host: {"suite", "address", "ports": {"22": 20001, …}}}}.
    """
    name: str = wish["name"]
    span: list[int] = wish["span"]
    network = ipaddress.ip_network(subnet)
    old = saved.get("hosts", {}) if saved.get("subnet") == subnet else {}
    wanted = [f"h{number}" for number in range(1, wish["count"] + 1)]
    given = {port for host in wanted for port in old.get(host, {}).get("ports", {}).values()}
    width = span[1] - span[0] + 1
    start = zlib.crc32(name.encode()) % (width // 200 or 1) * 200
    candidates = (span[0] + (start + step) % width for step in range(width))

    def next_port() -> int:
        for port in candidates:
            if port not in given and is_free(port):
                return port
        raise PlanError(f"no free loopback port is left in lab_host_port_range {span}")

    hosts: dict[str, Any] = {}
    for index, host in enumerate(wanted):
        before = old.get(host, {})
        ports = {}
        for port in wish["ports"]:
            ports[str(port)] = before.get("ports", {}).get(str(port)) or next_port()
        hosts[host] = {
            "suite": wish["suites"][index % len(wish["suites"])],
            "address": str(network[FIRST_HOST + index]),
            "ports": ports,
        }
    return {"name": name, "subnet": subnet, "hosts": hosts}


def table(plan: dict[str, Any]) -> str:
    """The hosts of a plan for a person to read, one line each."""
    lines = []
    for host, given in plan["hosts"].items():
        ports = ", ".join(
            f"{inner} at 127.0.0.1:{outer}" for inner, outer in given["ports"].items()
        )
        lines.append(f"{host:<4} {given['suite']:<9} {given['address']:<15} {ports}\n")
    return "".join(lines)


def digest(value: Any) -> str:
    """A stable hash of any JSON value: two specs are the same exactly if their digests are."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
