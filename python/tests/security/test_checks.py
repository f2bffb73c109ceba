"""Every check against its fixtures, in both implementations; and both give the same bytes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from agentcore.integration import RustIntegrationManager
from agentcore.security import FastSecurityTools, checks, twin

COMPONENT = "agent_security_tools"
_spec = importlib.util.spec_from_file_location("hosts", Path(__file__).with_name("hosts.py"))
assert _spec and _spec.loader
hosts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hosts)

CASES = [
    pytest.param(check.id, case, id=f"{check.id}-{case['name']}")
    for check in checks.ALL
    for case in hosts.load(hosts.FIXTURES / "checks" / f"{check.id}.json")["cases"]
]


@pytest.mark.parametrize(("check", "case"), CASES)
def test_check_answers_its_fixture(
    manager: RustIntegrationManager, check: str, case: dict[str, Any], tmp_path: Path
) -> None:
    rootfs, procfs = hosts.build(case["files"], tmp_path)
    report = FastSecurityTools(manager).audit(rootfs=rootfs, procfs=procfs, host="h", at=0)
    found = {f["subject"]: f["status"] for f in report["findings"] if f["check"] == check}
    assert found == case["expect"]


@pytest.mark.parametrize(("check", "case"), CASES)
def test_both_give_the_same_bytes(
    both: tuple[RustIntegrationManager, RustIntegrationManager],
    check: str,
    case: dict[str, Any],
    tmp_path: Path,
) -> None:
    rootfs, procfs = hosts.build(case["files"], tmp_path)
    native = both[1].native(COMPONENT)
    assert native is not None
    assert twin.audit_host(rootfs, procfs, "h", 0) == native.audit_host(rootfs, procfs, "h", 0)


def test_every_check_has_a_passing_and_a_failing_case() -> None:
    for check in checks.ALL:
        cases = hosts.load(hosts.FIXTURES / "checks" / f"{check.id}.json")["cases"]
        statuses = {status for case in cases for status in case["expect"].values()}
        assert {"pass", "fail"} <= statuses, check.id


def test_the_recorded_host_gives_the_recorded_report(
    manager: RustIntegrationManager, tmp_path: Path
) -> None:
    fixture = hosts.load(hosts.FIXTURES / "hosts" / "mixed.json")
    rootfs, procfs = hosts.build(fixture["files"], tmp_path)
    tools = manager.native(COMPONENT) or twin
    waivers, previous = json.dumps(fixture["waivers"]), json.dumps(fixture["previous"])
    report = tools.audit_host(rootfs, procfs, fixture["host"], fixture["at"], waivers, previous)

    def golden(name: str) -> str:
        return str((hosts.FIXTURES / "hosts" / name).read_text(encoding="utf-8").strip())

    assert report == golden("mixed.report.json")
    assert tools.sarif(report) == golden("mixed.sarif.json")
    assert tools.catalog() == golden("catalog.json")


def test_this_kernel_reads_the_same(
    both: tuple[RustIntegrationManager, RustIntegrationManager], tmp_path: Path
) -> None:
    """The real /proc/sys, which refuses what a plain file allows (large reads, for one)."""
    native = both[1].native(COMPONENT)
    assert native is not None
    reports = [
        json.loads(tools.audit_host(str(tmp_path), "/proc", "h", 0)) for tools in (twin, native)
    ]
    ours, theirs = (
        [f for f in report["findings"] if f["check"].startswith("sysctl-")] for report in reports
    )
    assert ours == theirs
    assert not [f for f in ours if f["status"] == "error"]


def test_fixtures_are_those_of_the_rust_crate() -> None:
    there = Path(__file__).parents[3] / "rust/agent-security-tools/tests/fixtures"
    if not there.is_dir():
        pytest.skip("python/ stands alone here")
    files = sorted(path.relative_to(there) for path in there.rglob("*.json"))
    assert files == sorted(p.relative_to(hosts.FIXTURES) for p in hosts.FIXTURES.rglob("*.json"))
    for file in files:
        assert (there / file).read_bytes() == (hosts.FIXTURES / file).read_bytes(), file
