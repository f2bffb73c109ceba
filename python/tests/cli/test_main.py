"""The command line as a user meets it: in a process, by exit status and text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agentcore


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "agentcore", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        # What the run of the suite demands is not what these commands are asked.
        env={k: v for k, v in os.environ.items() if k != "AGENTCORE_NATIVE"} | (env or {}),
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("key = 'AKIA" + "QWERTYUIOPASDFGH'\n")
    return tmp_path


def test_version_and_help() -> None:
    assert run("--version").stdout == f"agentcore {agentcore.__version__}\n"
    overview = run("--help")
    assert overview.returncode == 0
    for command in ("serve", "monitor", "security", "orchestrator", "run", "doctor", "probe"):
        assert command in overview.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["sevre"], "'serve'"),
        (["run"], "AGENT"),
        (["run", "plumber"], "developer"),
        (["run", "developer"], "PATH"),
        (["run", "developer", "x", "--format", "xml"], "'sarif'"),
        (["run", "trader", "x", "--bogus"], "--bogus"),
        (["probe"], "TARGET"),
    ],
)
def test_a_wrong_command_line_exits_64(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 64
    assert words in done.stderr
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelled_variable_is_refused_before_anything() -> None:
    done = run("doctor", env={"AGENTCORE_NATIV": "off"})
    assert done.returncode == 64
    assert "nearest is AGENTCORE_NATIVE" in done.stderr


def test_run_developer_in_each_form(tree: Path) -> None:
    text = run("run", "developer", str(tree))
    assert text.returncode == 0
    assert "SEC002  a.py:1" in text.stdout
    body = json.loads(run("run", "developer", str(tree), "--format", "json").stdout)
    assert body["findings"][0]["rule"] == "SEC002"
    out = tree / "out.sarif"
    done = run("run", "developer", str(tree / "a.py"), "--format", "sarif", "-o", str(out))
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(out.read_text())["runs"][0]["results"][0]["ruleId"] == "SEC002"


def test_fail_on(tree: Path) -> None:
    assert run("run", "developer", str(tree), "--fail-on", "high").returncode == 1
    assert run("run", "developer", str(tree), "--fail-on", "critical").returncode == 0


def test_run_trader(tmp_path: Path) -> None:
    rows = [f"2024-{m:02}-{d:02},10,12,9,{10 + d % 3},5" for m in range(1, 7) for d in range(1, 29)]
    table = tmp_path / "p.csv"
    table.write_text("date,open,high,low,close,volume\n" + "\n".join(rows))
    plot = tmp_path / "p.svg"
    done = run(
        "run", "trader", str(table), "--set", "fast=2", "--set", "slow=5", "--plot", str(plot)
    )
    assert done.returncode == 0, done.stderr
    assert "buy and hold" in done.stdout
    assert "<svg" in plot.read_text()[:500]
    assert run("run", "trader", str(table), "--set", "fast").returncode == 64
    assert run("run", "trader", str(table), "--plot", "x.gif").returncode == 64
    assert run("run", "trader", str(table), "--format", "sarif").returncode == 64
    table.write_text(table.read_text().replace("2024-02-03,10", "2024-02-03,ten"))
    bad = run("run", "trader", str(table))
    assert bad.returncode == 2
    assert "p.csv:32: open 'ten' is not a number; expected a number above zero" in bad.stderr


def test_run_lawyer_and_auto(tmp_path: Path) -> None:
    contract = tmp_path / "c.txt"
    contract.write_text("1. Termination. Either party may terminate for convenience.\n")
    done = run("run", "lawyer", str(contract), "--ask", "how can it be terminated?")
    assert "answers\nline 1" in done.stdout
    assert done.stdout.rstrip().endswith("This is not legal advice.")
    redacted = tmp_path / "r.txt"
    redacted.write_text("write to a@b.example")
    assert "[EMAIL]" in run("run", "lawyer", str(redacted), "--task", "redact").stdout
    routed = run("run", "auto", "which clauses does this contract have?", str(contract))
    assert "routed to lawyer" in routed.stderr
    unclear = run("run", "auto", "hello", str(contract))
    assert unclear.returncode == 1
    assert "Which agent" in unclear.stderr


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.txt"
    if content:
        path.write_bytes(content)
    done = run("run", "lawyer", str(path))
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_that_cannot_be_written(tree: Path) -> None:
    done = run("run", "developer", str(tree), "-o", str(tree / "none" / "out"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def test_a_reader_that_goes_away_is_no_error(tree: Path) -> None:
    command = f"{sys.executable} -m agentcore run developer {tree} | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], check=False, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
