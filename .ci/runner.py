# Apache-2.0 (see LICENSE)
"""Runs one suite after the other, counts, and owns the child that runs now.

A suite of real processes, sockets and hosts may fail by the weather of a busy machine. What fails is therefore run once
more, alone: only what fails twice has failed. What passed at the second try is counted as passed and named as unsteady at the
end of the run, with both logs kept, because it is a defect too: of the test or of what it tests.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test"
CANNOT_RUN_HERE = 77  # the exit status of a suite that this machine has no means for; its last line says which


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
    """The JUnit file that pytest leaves at the first try."""
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
    again: list[str] = field(default_factory=list)  # what runs once more the tests that failed; empty: no second try


class Runner:
    """Runs suites, keeps counts, and owns the child that runs now."""

    def __init__(self) -> None:
        self.total = Counts()
        self.failed: list[str] = []
        self.unsteady: list[str] = []
        self.child: subprocess.Popen[bytes] | None = None

    def run(self, suite: Suite) -> None:
        if suite.needs in self.failed:
            self.total.failed += 1
            self.failed.append(suite.name)
            print(f"{suite.name:<24} not run: {suite.needs} failed", flush=True)
            return
        began = time.monotonic()
        code, text = self.call(suite, suite.command, LOGS / f"{suite.name}.log")
        counts = suite.parse(text, code, suite)
        if code != 0 and counts.failed == 0:
            counts.failed = 1  # it did not compile, or ended before it could count
        remark = ""
        if code == CANNOT_RUN_HERE:
            counts, remark = Counts(skipped=1), f": {text.strip().splitlines()[-1]}"
        if counts.failed and suite.again:
            code, again = self.call(suite, suite.again, LOGS / f"{suite.name}.again.log")
            if code == 0:
                remark = f", {counts.failed} of them at the second try: build/test/{suite.name}.log"
                self.unsteady.append(f"{suite.name} ({counts.failed})")
                counts = Counts(counts.passed + counts.failed, 0, counts.skipped)
            else:
                text += "\n--- the second try\n" + again
        self.total.add(counts)
        print(f"{suite.name:<24} {counts}{remark}  ({time.monotonic() - began:.0f} s)", flush=True)
        if counts.failed:
            self.failed.append(suite.name)
            print("\n".join("    " + line for line in text.splitlines()[-60:]), flush=True)

    def call(self, suite: Suite, command: list[str], log: Path) -> tuple[int, str]:
        """Runs one command of a suite; answers its exit status (124: stopped at its timeout) and what it wrote."""
        with log.open("wb") as file:
            self.child = subprocess.Popen(
                command,
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
        return code, log.read_text(errors="replace")

    def summary(self) -> str:
        """What failed, what was unsteady, and the line of counts."""
        lines = [f"failed: {', '.join(self.failed)}"] if self.failed else []
        lines += [f"unsteady, passed at the second try: {', '.join(self.unsteady)}"] if self.unsteady else []
        return "\n".join([*lines, str(self.total)])

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
