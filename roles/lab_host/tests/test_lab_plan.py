"""The lab's plan: names, subnets, addresses and ports; and the inventory that is made of it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROLE = Path(__file__).resolve().parents[1]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plan = load(ROLE / "module_utils" / "lab_plan.py")
WISH: dict[str, Any] = {
    "name": "acone",
    "count": 3,
    "suites": ["bookworm", "trixie"],
    "ports": [22, 8700],
    "span": [20000, 31999],
}


def every_port_is_free(_: int) -> bool:
    return True


def test_hosts_take_the_suites_in_turn_and_addresses_in_order() -> None:
    hosts = plan.make(WISH, "10.9.8.0/24", {}, every_port_is_free)["hosts"]
    assert [host["suite"] for host in hosts.values()] == ["bookworm", "trixie", "bookworm"]
    assert [host["address"] for host in hosts.values()] == ["10.9.8.11", "10.9.8.12", "10.9.8.13"]
    ports = [port for host in hosts.values() for port in host["ports"].values()]
    assert len(set(ports)) == 6
    assert all(20000 <= port <= 31999 for port in ports)


def test_a_busy_port_is_passed_over() -> None:
    first = plan.make(WISH, "10.9.8.0/24", {}, every_port_is_free)["hosts"]["h1"]["ports"]["22"]
    again = plan.make(WISH, "10.9.8.0/24", {}, lambda port: port != first)["hosts"]["h1"]["ports"]
    assert first not in again.values()


def test_more_hosts_keep_what_the_others_had() -> None:
    small = plan.make(WISH, "10.9.8.0/24", {}, every_port_is_free)
    large = plan.make({**WISH, "count": 9}, "10.9.8.0/24", small, every_port_is_free)
    assert {host: large["hosts"][host] for host in small["hosts"]} == small["hosts"]
    ports = [port for host in large["hosts"].values() for port in host["ports"].values()]
    assert len(set(ports)) == len(ports) == 18


def test_the_same_wish_gives_the_same_plan() -> None:
    one = plan.make(WISH, "10.9.8.0/24", {}, every_port_is_free)
    assert plan.make(WISH, "10.9.8.0/24", one, every_port_is_free) == one


def test_the_table_has_a_line_for_each_host() -> None:
    lines = plan.table(plan.make(WISH, "10.9.8.0/24", {}, every_port_is_free)).splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["h1", "bookworm", "10.9.8.11"],
        ["h2", "trixie", "10.9.8.12"],
        ["h3", "bookworm", "10.9.8.13"],
    ]
    assert all("8700 at 127.0.0.1:2" in line for line in lines)


def test_no_port_left_is_said() -> None:
    with pytest.raises(plan.PlanError, match="no free loopback port"):
        plan.make(WISH, "10.9.8.0/24", {}, lambda _: False)


def test_a_busy_subnet_is_passed_over_and_another_lab_starts_elsewhere() -> None:
    first = plan.pick_subnet("acone", "10.213.0.0/16", [])
    assert plan.pick_subnet("acone", "10.213.0.0/16", [first, "172.17.0.0/16"]) != first
    assert plan.pick_subnet("actwo", "10.213.0.0/16", []) != first


def test_a_full_pool_is_said() -> None:
    with pytest.raises(plan.PlanError, match="no free /24"):
        plan.pick_subnet("acone", "10.213.0.0/24", ["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "A_"}, "lab_host_name"),
        ({"count": 0}, "lab_host_count is 0: use 1 to 60"),
        ({"suites": []}, "at least one Debian suite"),
        ({"ports": [8700]}, "22 must be among them"),
        ({"ports": [22, 70000]}, "different ports from 1 to 65535"),
        ({"ports": [22, 22]}, "different ports"),
        ({"span": [80, 90]}, "lab_host_port_range"),
    ],
)
def test_a_wrong_wish_is_refused(change: dict[str, Any], message: str) -> None:
    wish = {**WISH, **change}
    with pytest.raises(plan.PlanError, match=message):
        plan.check(wish["name"], wish["count"], wish["suites"], wish["ports"], wish["span"])


def project_with(tmp_path: Path, lab: str | None) -> Path:
    """A tree that holds the inventory script and, if given, a lab.json."""
    script = tmp_path / "inventory" / "lab" / "lab.py"
    script.parent.mkdir(parents=True)
    script.write_text((ROLE.parents[1] / "inventory" / "lab" / "lab.py").read_text())
    if lab is not None:
        folder = tmp_path / "build" / "lab" / "acone"
        folder.mkdir(parents=True)
        (folder / "lab.json").write_text(lab)
    return script


def run(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, "--list"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, "AGENTCORE_LAB": "acone"},
    )


def test_the_inventory_has_every_host_and_prometheus_on_the_first(tmp_path: Path) -> None:
    lab = plan.make({**WISH, "count": 11}, "10.9.8.0/24", {}, every_port_is_free)
    done = run(project_with(tmp_path, json.dumps(lab)))
    inventory = json.loads(done.stdout)
    assert inventory["agentcore_hosts"]["hosts"] == [f"h{number}" for number in range(1, 12)]
    assert inventory["prometheus"]["hosts"] == ["h1"]
    assert inventory["_meta"]["hostvars"]["h2"]["lab_address"] == "10.9.8.12"


@pytest.mark.parametrize(("lab", "message"), [(None, "make lab"), ("{", "damaged")])
def test_no_lab_or_a_damaged_one_is_one_sentence(
    tmp_path: Path, lab: str | None, message: str
) -> None:
    done = run(project_with(tmp_path, lab))
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
