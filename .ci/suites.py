# Apache-2.0 (see LICENSE)
"""The suites of the project, run one after the other and counted.

Usage: suites.py check | test | stories | bench SUBJECT

Each suite's output goes to build/test/NAME.log; a failing suite prints its end. The last line is `N passed, N failed,
N skipped`. An interrupted run stops its children and takes down what it had put up.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from measure import bench
from runner import LOGS, ROOT, Runner, Suite, as_cargo, as_pytest

LIBRARY = ROOT / "build" / "lib"
SCENARIOS = ("rollout", "broken_native", "rollback", "python_only", "scan")
LAB = "acmol"


def pytest_suite(name: str, *arguments: str, folder: Path = ROOT, **more: object) -> Suite:
    """A suite of pytest; its failed tests are run once more, one by one."""
    return tried_twice(name, ["python", "-m", "pytest", "-q"], *arguments, folder=folder, **more)


def tried_twice(name: str, program: list[str], *arguments: str, folder: Path = ROOT, **more: object) -> Suite:
    """A suite whose program takes the arguments of pytest."""
    command = [*program, "-o", f"cache_dir={LOGS / name}.cache", *arguments]
    again = [*command, "-n", "0"] if "-n" in arguments else list(command)
    first = [*command, "--cache-clear", f"--junit-xml={LOGS / name}.xml"]
    again += ["--last-failed", "--last-failed-no-failures", "none"]
    return Suite(name, first, as_pytest, folder, again=again, **more)  # type: ignore[arg-type]


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
        Suite("rust-tests", cargo("test", "--workspace", "--quiet"), as_cargo, again=cargo("test", "--workspace", "--quiet")),
        Suite("libraries", ["make", "--no-print-directory", "lib"]),
        pytest_suite("python-tests", "-n", "2", "-m", "not slow", folder=python, env=native_env("require"), needs="libraries"),
        pytest_suite("house", ".ci/tests"),
    ]


def other_pythons() -> list[Suite]:
    """The core under the other Pythons that it promises to run on."""
    rooms = [f"tests/{room}" for room in ("cache", "http", "queue", "text", "integration")]
    return [
        tried_twice(f"python-{version}", [".ci/under.sh", version], "-n", "2", "-m", "not slow", *rooms, env=native_env("require"))
        for version in ("3.12", "3.13")
    ]


def slow() -> list[Suite]:
    """What only the whole run has: every test, and the images."""
    python = ROOT / "python"
    return [
        Suite("rust-docs", ["make", "--no-print-directory", "docs"]),
        Suite("fuzz", [".ci/fuzz.sh", "30"], env={"FUZZ_SEED": "1"}),
        pytest_suite("python-slow", "-n", "2", "-m", "slow", folder=python, env=native_env("require"), needs="libraries"),
        *other_pythons(),
        pytest_suite("python-alone", ".ci/alone", timeout=1200),
        pytest_suite("roles", "roles"),
        pytest_suite("molecule-shared", "molecule/shared"),
        IMAGES,
        Suite("rules", ["build/tools/promtool", "test", "rules", "roles/prometheus/tests/agentcore_test.yml"], needs="images"),
    ]


def stories() -> list[Suite]:
    """The molecule scenarios over the release that `make images` left, all on one lab, which is taken down at the end."""
    molecule = {"AGENTCORE_LAB": LAB, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "160", "NO_COLOR": "1"}
    commands = {name: ["molecule", "test", "--destroy", "never", "-s", name] for name in SCENARIOS}
    return [
        Suite(f"molecule-{name}", command, env=molecule, needs="images", timeout=2400, again=command) for name, command in commands.items()
    ]


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
        print(f"interrupted\n{runner.summary()}", flush=True)
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
    print(f"{time.monotonic() - began:.0f} s in all")
    print(runner.summary())
    return 1 if runner.failed or runner.total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
