"""The scope: which addresses the team owns and may scan. Nothing else is ever connected to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any

from agentcore.security.contract import bad_input, out_of_scope
from agentcore.security.host.listeners import address_text
from agentcore.security.host.words import is_whole, strict_json, trim

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_KEYS = ("schema", "owner", "networks", "hosts", "ports")
_WIDEST = {4: 16, 6: 48}
_NETWORK = re.compile(r"[0-9A-Fa-f:.]+/(?:0|[1-9][0-9]{0,2})")
_LINK_LOCAL_V6 = ipaddress.IPv6Network("fe80::/10")


@dataclass(frozen=True, slots=True)
class Target:
    """A host the team owns."""

    name: str
    address: Address


@dataclass(slots=True)
class Scope:
    """What may be scanned."""

    owner: str
    networks: list[Network]
    hosts: list[Target] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def targets(self, asked: list[str]) -> list[Target]:
        """The targets a request names: addresses, or names of hosts in the scope.

        Raises:
            PermissionError: the first that may not be scanned.
        """
        targets: list[Target] = []
        for text in asked:
            target = next((host for host in self.hosts if host.name == text), None)
            if target is None:
                target = self._by_address(text)
            if target not in targets:
                targets.append(target)
        return targets

    def _by_address(self, text: str) -> Target:
        address = parse_address(text)
        if address is None:
            reason = "neither an address nor the name of a host in the scope file"
            raise out_of_scope(text, reason)
        self.admit(address)
        address = canonical(address)
        known = next((host for host in self.hosts if host.address == address), None)
        return Target(known.name if known else address_text(address), address)

    def admit(self, address: Address) -> None:
        """Refuse an address that may not be connected to.

        Raises:
            PermissionError: with the reason.
        """
        plain = canonical(address)
        kind = _never(plain)
        if kind:
            raise out_of_scope(address_text(address), f"{kind} addresses are never scanned")
        if not any(plain in network for network in self.networks):
            reason = f"no network of {self.owner}'s scope file holds it"
            raise out_of_scope(address_text(address), reason)


def parse(text: str) -> Scope:
    """Read a scope file.

    Raises:
        ValueError: names the entry that cannot be used.
    """
    try:
        value = strict_json(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        wants = "schema, owner, networks, hosts and ports"
        raise bad_input("scope", "not a JSON object", wants)
    for key in sorted(value):
        if key not in _KEYS:
            raise bad_input("scope", f'unknown key "{key}"', ", ".join(_KEYS))
    if not is_whole(value.get("schema")) or value["schema"] != 1:
        raise bad_input("scope: schema", "missing or unknown", "1")
    owner = value.get("owner")
    if not isinstance(owner, str) or not trim(owner):
        raise bad_input("scope: owner", "missing or empty", "who answers for it")
    networks = _items(value, "networks", "a list of networks such as 10.0.0.5/32")
    scope = Scope(trim(owner), [_network(number, item) for number, item in enumerate(networks)])
    for number, item in enumerate(_items(value, "hosts", 'a list of {"name", "address"}')):
        scope.hosts.append(_host(scope, f"scope: hosts[{number}]", item))
    for number, item in enumerate(_items(value, "ports", "a list of ports")):
        if not is_whole(item) or not 1 <= item <= 65535:
            raise bad_input(f"scope: ports[{number}]", "not a port", "1 to 65535")
        scope.ports.append(item)
    return scope


def parse_address(text: Any) -> Address | None:
    """An IPv4 or IPv6 address without a zone, or None."""
    if not isinstance(text, str) or "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def canonical(address: Address) -> Address:
    """The IPv4 address inside a mapped one; others as they are."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _never(address: Address) -> str | None:
    """Addresses that no scope can allow."""
    if address.is_unspecified:
        return "unspecified"
    if address.is_multicast:
        return "multicast"
    if str(address) == "255.255.255.255":
        return "broadcast"
    if str(address) == "169.254.169.254":
        return "cloud metadata"
    if address in _LINK_LOCAL_V6:
        return "link-local"
    return None


def _items(value: dict[str, Any], key: str, wants: str) -> list[Any]:
    items = value.get(key)
    if not isinstance(items, list):
        raise bad_input(f"scope: {key}", "missing or not a list", wants)
    return items


def _network(number: int, item: Any) -> Network:
    place = f"scope: networks[{number}]"
    network = None
    if isinstance(item, str) and _NETWORK.fullmatch(item):
        try:
            network = ipaddress.ip_network(item, strict=False)
        except ValueError:
            network = None
    if network is None:
        wants = "an address and a prefix such as 10.0.0.5/32"
        raise bad_input(place, "not a network", wants)
    widest = _WIDEST[network.version]
    if network.prefixlen < widest:
        what = f"/{network.prefixlen} is too wide to be meant"
        raise bad_input(place, what, f"/{widest} or narrower")
    return network


def _host(scope: Scope, place: str, item: Any) -> Target:
    fields = item if isinstance(item, dict) else {}
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        raise bad_input(f"{place}.name", "missing or empty", "the host's name")
    address = parse_address(fields.get("address"))
    if address is None:
        wants = "an IPv4 or IPv6 address (names are not looked up)"
        raise bad_input(f"{place}.address", "not an address", wants)
    try:
        scope.admit(address)
    except PermissionError as refusal:
        raise bad_input(f"{place}.address", str(refusal), "one in scope") from None
    return Target(name, canonical(address))
