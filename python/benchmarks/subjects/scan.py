"""The connect scanner beside `nmap -sT`, on loopback, with the same ports and the same answers.

Before anything is timed all contenders must have found the same ports open. Ours and the twin are
library calls; nmap is a program, so its time holds its start (case "nothing to scan" shows it).
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

from agentcore.security import FastSecurityTools
from benchmarks.harness import Bar, Case, Contender, Subject
from benchmarks.native import OURS_VERSION, native_manager, twin_manager

ADDRESS = "127.0.0.1"
LISTENERS = 100
SCOPE = json.dumps(
    {
        "schema": 1,
        "owner": "benchmark",
        "networks": [f"{ADDRESS}/32"],
        "hosts": [{"name": "loop", "address": ADDRESS}],
        "ports": [],
    }
)
NMAP = shutil.which("nmap")
_open: list[socket.socket] = []  # listening for as long as this process lives


def _nmap_version() -> str:
    text = subprocess.run([NMAP or "nmap", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\S+)", text.stdout)
    return found.group(1) if found else ""


def _listen() -> list[int]:
    while len(_open) < LISTENERS:
        _open.append(socket.create_server((ADDRESS, 0), backlog=4096))
    return sorted(one.getsockname()[1] for one in _open)


def _nmap(*flags: str) -> Callable[[str], set[int]]:
    def scan(ports: str) -> set[int]:
        words = [NMAP or "nmap", "-sT", "-n", "-Pn", *flags, "-p", ports, "-oX", "-", ADDRESS]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        root = ET.fromstring(done.stdout)  # noqa: S314  # nmap's own output
        return {
            int(port.attrib["portid"])
            for port in root.iter("port")
            if port.find("state[@state='open']") is not None
        }

    return scan


def _ours(tools: FastSecurityTools) -> Callable[[str], set[int]]:
    def scan(ports: str) -> set[int]:
        wanted = _numbers(ports)
        report = tools.scan(SCOPE, ["loop"], sorted(wanted))
        if not report["complete"]:
            raise RuntimeError(f"the scan is incomplete: {report['targets'][0]['reasons']}")
        return _numbers(report["targets"][0]["ports"]["open"])

    return scan


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _milliseconds(work: Callable[[str], set[int]], ports: str) -> Callable[[], float]:
    def measure() -> float:
        begun = time.perf_counter()
        work(ports)
        return (time.perf_counter() - begun) * 1000

    return measure


def _case(name: str, ports: str, wanted: set[int], bar: Bar | None) -> Case:
    ours = _ours(FastSecurityTools(native_manager()))
    peers = {"python twin": (OURS_VERSION, _ours(FastSecurityTools(twin_manager())))}
    if NMAP:
        version = _nmap_version()
        peers["nmap -sT"] = (version, _nmap())
        peers["nmap -sT -T5"] = (version, _nmap("-T5", "--min-parallelism", "300"))
    for who, scan in [("ours", ours), *((name, scan) for name, (_, scan) in peers.items())]:
        found = scan(ports)
        if not wanted <= found:
            raise RuntimeError(f"{name}: {who} missed {sorted(wanted - found)[:5]}")
        # On all ports other programs of the machine come and go: theirs are not compared.
        if len(_numbers(ports)) < 65535 and found != wanted:
            raise RuntimeError(f"{name}: {who} also found {sorted(found - wanted)[:5]}")
    return Case(
        name,
        "ms",
        "lower",
        Contender("agentcore", OURS_VERSION, _milliseconds(ours, ports)),
        [
            Contender(who, version, _milliseconds(scan, ports))
            for who, (version, scan) in peers.items()
        ],
        bar,
    )


def _closed(count: int, taken: set[int]) -> list[int]:
    """Ports nobody listens on: bound once to find out, from below the ephemeral range."""
    found: list[int] = []
    for port in range(12000, 32000):
        if len(found) == count:
            break
        if port in taken:
            continue
        with socket.socket() as one:
            try:
                one.bind((ADDRESS, port))
            except OSError:
                continue
        found.append(port)
    return found


def cases() -> Sequence[Case]:
    """1,100 ports of which 100 are open; one port, for what a start costs; all 65,535."""
    wanted = set(_listen())
    mixed = ",".join(map(str, sorted(wanted | set(_closed(1000, wanted)))))
    one = min(wanted)
    return [
        _case("1,100 ports, 100 open", mixed, wanted, Bar("nmap -sT", must=1.0, aim=10.0)),
        _case("one open port", str(one), {one}, None),
        _case("65,535 ports", "1-65535", wanted, Bar("nmap -sT", must=1.0, aim=3.0)),
    ]


SUBJECT = Subject("scan", cases, missing=[] if NMAP else ["nmap -sT", "nmap -sT -T5"])
