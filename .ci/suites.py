# Apache-2.0 (see LICENSE)
"""Runs the suites of the project, one after the other, and counts.

Usage: suites.py check | test | stories | bench SUBJECT

Each suite's output goes to build/test/NAME.log; a failing suite prints its end. The last line is `N passed, N failed,
N skipped`. An interrupted run stops its children and takes down what it had put up.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test"
LIBRARY = ROOT / "build" / "lib"
MODULES = (
    "agent_container_orchestrator",
    "agent_core_utils",
    "agent_performance_monitor",
    "agent_security_tools",
)
SCENARIOS = ("rollout", "broken_native", "rollback", "python_only", "scan")
LAB = "acmol"


@dataclass
class Counts:
    """What a suite came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def as_one(log: str, code: int, suite: Suite) -> Counts:
    """A suite that is one check."""
    return Counts(passed=int(code == 0), failed=int(code != 0))


def as_cargo(log: str, code: int, suite: Suite) -> Counts:
    """The result lines of the Rust test runner, summed."""
    counts = Counts()
    for passed, failed, ignored in re.findall(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", log):
        counts.add(Counts(int(passed), int(failed), int(ignored)))
    return counts


def as_pytest(log: str, code: int, suite: Suite) -> Counts:
    """The JUnit file that pytest leaves."""
    counts = Counts()
    try:
        for case in ElementTree.parse(LOGS / f"{suite.name}.xml").iter("testsuite"):
            total, failed, errors, skipped = (int(case.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
            counts.add(Counts(total - failed - errors - skipped, failed + errors, skipped))
    except (OSError, ElementTree.ParseError):
        pass
    return counts


@dataclass
class Suite:
    """One command; `needs` names a suite without whose success this one cannot run."""

    name: str
    command: list[str]
    parse: Callable[[str, int, Suite], Counts] = as_one
    folder: Path = ROOT
    env: dict[str, str] = field(default_factory=dict)
    needs: str = ""
    timeout: int = 1800  # seconds


def pytest_suite(name: str, *arguments: str, folder: Path = ROOT, **more: object) -> Suite:
    command = ["python", "-m", "pytest", "-q", f"--junit-xml={LOGS / name}.xml", "-p", "no:cacheprovider", *arguments]
    return Suite(name, command, as_pytest, folder, **more)  # type: ignore[arg-type]


def cargo(*arguments: str) -> list[str]:
    return ["cargo", *arguments[:1], "--manifest-path", "rust/Cargo.toml", *arguments[1:]]


def native_env(mode: str) -> dict[str, str]:
    """The extensions and daemons that `make lib` leaves, for the Python tests."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "rust" / "target"))
    return {"AGENTCORE_LIB_DIR": str(LIBRARY), "AGENTCORE_NATIVE": mode, "DAEMON_BIN_DIR": str(target / "quick")}


IMAGES = Suite("images", ["ansible-playbook", "playbooks/build.yml"], timeout=2400)


def fast() -> list[Suite]:
    """Format, lint, types and the unit tests of both languages."""
    python = ROOT / "python"
    return [
        Suite("rust-format", cargo("fmt", "--all", "--check")),
        Suite("rust-lint", cargo("clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings")),
        Suite("python-format", ["ruff", "format", "--check", "."], folder=python),
        Suite("python-lint", ["ruff", "check", "."], folder=python),
        Suite("python-types", ["mypy"], folder=python),
        Suite("ansible-lint", ["ansible-lint", "--profile", "production", "--offline", "-q"]),
        Suite("rust-tests", cargo("test", "--workspace", "--quiet"), as_cargo),
        Suite("libraries", ["make", "--no-print-directory", "lib"]),
        pytest_suite("python-tests", "-n", "2", "-m", "not slow", folder=python, env=native_env("require"), needs="libraries"),
        pytest_suite("house", ".ci/tests"),
    ]


def slow() -> list[Suite]:
    """What only the whole run has: every test, and the images."""
    python = ROOT / "python"
    return [
        Suite("rust-docs", ["make", "--no-print-directory", "docs"]),
        pytest_suite("python-slow", "-n", "2", "-m", "slow", folder=python, env=native_env("require"), needs="libraries"),
        pytest_suite("python-alone", ".ci/alone", timeout=1200),
        pytest_suite("roles", "roles"),
        pytest_suite("molecule-shared", "molecule/shared"),
        IMAGES,
        Suite("rules", ["build/tools/promtool", "test", "rules", "roles/prometheus/tests/agentcore_test.yml"], needs="images"),
    ]


def stories() -> list[Suite]:
    """The molecule scenarios over the release that `make images` left, all on one lab, which is taken down at the end."""
    molecule = {"AGENTCORE_LAB": LAB, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "160", "NO_COLOR": "1"}
    return [
        Suite(f"molecule-{name}", ["molecule", "test", "--destroy", "never", "-s", name], env=molecule, needs="images", timeout=2400)
        for name in SCENARIOS
    ]


class Runner:
    """Runs suites, keeps counts, and owns the child that runs now."""

    def __init__(self) -> None:
        self.total = Counts()
        self.failed: list[str] = []
        self.child: subprocess.Popen[bytes] | None = None

    def run(self, suite: Suite) -> None:
        if suite.needs in self.failed:
            self.total.failed += 1
            self.failed.append(suite.name)
            print(f"{suite.name:<24} not run: {suite.needs} failed", flush=True)
            return
        log = LOGS / f"{suite.name}.log"
        began = time.monotonic()
        with log.open("wb") as file:
            self.child = subprocess.Popen(
                suite.command,
                cwd=suite.folder,
                env={**os.environ, **suite.env},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = self.child.wait(suite.timeout)
            except subprocess.TimeoutExpired:
                self.stop()
                code = 124
                file.write(f"\nstopped: more than {suite.timeout} s\n".encode())
            self.child = None
        text = log.read_text(errors="replace")
        counts = suite.parse(text, code, suite)
        if code != 0 and counts.failed == 0:
            counts.failed = 1  # it did not compile, or ended before it could count
        self.total.add(counts)
        print(f"{suite.name:<24} {counts}  ({time.monotonic() - began:.0f} s)", flush=True)
        if counts.failed:
            self.failed.append(suite.name)
            print("\n".join("    " + line for line in text.splitlines()[-40:]), flush=True)

    def stop(self) -> None:
        """Ends the child and all it started."""
        if self.child is None:
            return
        for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
            try:
                os.killpg(self.child.pid, number)
                self.child.wait(patience)
                return
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def take_down() -> None:
    """The lab that the scenarios share, and the loads that an interrupted one has left running."""
    if (ROOT / "build" / "lab" / LAB).exists() and shutil.which("ansible-playbook"):
        build = ROOT / "build" / "molecule"
        subprocess.run(
            ["ansible-playbook", "-i", "localhost,", "molecule/default/destroy.yml"]
            + ["-e", f"deploy_build_dir={build}", "-e", f"deploy_release_dir={build / 'good'}"],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )


def released() -> Path:
    """Takes the extensions and the monitor daemon out of the release: what is measured is what is deployed."""
    release, target = ROOT / "build" / "release", ROOT / "build" / "bench" / "release"
    record = json.loads((release / "release.json").read_text())
    if not record["native"]:
        sys.exit("the release has no native part to measure: install a Rust tool chain and run `make images`")
    shutil.rmtree(target, ignore_errors=True)
    for name in ("agentcore-native", "monitor-agent"):
        layer = record["images"][name]["layers"][-1].removeprefix("sha256:")
        with tarfile.open(release / "blobs" / "sha256" / layer) as tar:
            tar.extractall(target, filter="data")
    return target


def bench(subject: str) -> int:
    """Ours beside the peers; the page of results is written from what the runs left."""
    python, results = ROOT / "python", ROOT / "build" / "bench"
    known = sorted(path.stem for path in (python / "benchmarks" / "subjects").glob("[a-z]*.py"))
    if subject != "all" and subject not in known:
        print(f"there is no benchmark named {subject!r}; there are {', '.join(known)}", file=sys.stderr)
        return 64
    binaries = released()
    env = {
        **os.environ,
        "AGENTCORE_LIB_DIR": str(binaries / "opt/agentcore/lib"),
        "AGENTCORE_NATIVE": "require",
        "MONITOR_AGENT": str(binaries / "monitor-agent"),
        "PYTHONPATH": "src",
    }
    wanted = known if subject == "all" else [subject]
    for command in (
        [sys.executable, "-m", "benchmarks", "--out", str(results), *wanted],
        [sys.executable, "-m", "benchmarks.report", str(results), str(ROOT / "docs" / "benchmarks.md")],
    ):
        code = subprocess.call(command, cwd=python, env=env)
        if code:
            return code
    return 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["bench"] and len(arguments) == 2:
        return bench(arguments[1])
    if arguments not in (["check"], ["test"], ["stories"]):
        print(__doc__, file=sys.stderr)
        return 64
    LOGS.mkdir(parents=True, exist_ok=True)
    runner = Runner()

    def interrupted(number: int, _frame: object) -> None:
        runner.stop()
        take_down()
        print(f"interrupted\n{runner.total}", flush=True)
        os._exit(128 + number)

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    began = time.monotonic()
    try:
        wanted = {
            "check": fast(),
            "test": fast() + slow() + stories(),
            "stories": [IMAGES, *stories()],
        }[arguments[0]]
        for suite in wanted:
            runner.run(suite)
    finally:
        if arguments != ["check"]:
            take_down()
    if runner.failed:
        print(f"failed: {', '.join(runner.failed)}")
    print(f"{time.monotonic() - began:.0f} s in all")
    print(runner.total)
    return 1 if runner.failed or runner.total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
