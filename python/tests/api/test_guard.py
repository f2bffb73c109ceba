"""The boot guard counts real deaths of real processes, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentcore.api.guard import DEATHS, BootGuard

from .conftest import Starter

BOOT = """
import os, signal, sys
from pathlib import Path
from agentcore.api.guard import BootGuard
boot = BootGuard(Path(sys.argv[1]), sys.argv[2]).begin(sys.argv[4] == "native")
print(boot.deaths, boot.active, flush=True)
match sys.argv[3]:
    case "die": os.kill(os.getpid(), signal.SIGKILL)
    case "abort": os.abort()
    case "end": boot.end()
    case "healthy": boot.healthy(); os.kill(os.getpid(), signal.SIGKILL)
    case "python": boot.native(False); os.kill(os.getpid(), signal.SIGKILL)
    case "wait": sys.stdin.read(); boot.end()
"""


def boot(folder: Path, how: str, release: str = "r1", native: str = "native") -> tuple[int, bool]:
    done = subprocess.run(
        [sys.executable, "-c", BOOT, str(folder), release, how, native],
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
    )
    deaths, active = done.stdout.split()
    return int(deaths), active == "True"


def test_three_sudden_deaths_switch_native_off(tmp_path: Path) -> None:
    seen = [boot(tmp_path, how) for how in ("die", "abort", "die", "end")]
    assert seen == [(0, False), (1, False), (2, False), (3, True)]
    assert DEATHS == 3


def test_it_stays_off_until_a_boot_was_healthy(tmp_path: Path) -> None:
    for _ in range(3):
        boot(tmp_path, "die")
    assert boot(tmp_path, "die") == (3, True)  # a death in Python counts no further
    assert boot(tmp_path, "end") == (3, True)
    assert boot(tmp_path, "healthy") == (3, True)
    assert boot(tmp_path, "end") == (0, False)


def test_another_release_starts_afresh(tmp_path: Path) -> None:
    for _ in range(3):
        boot(tmp_path, "die", "r1")
    assert boot(tmp_path, "end", "r2") == (0, False)
    assert boot(tmp_path, "end", "r1") == (0, False)


def test_orderly_ends_healthy_lives_and_python_deaths_do_not_count(tmp_path: Path) -> None:
    for how in ("end", "python", "healthy", "end", "python"):
        assert boot(tmp_path, how) == (0, False)
    assert boot(tmp_path, "die", native="python") == (0, False)
    assert boot(tmp_path, "end") == (0, False)


def test_a_living_neighbor_is_no_death(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BOOT, str(tmp_path), "r1", "wait", "native"]
    neighbors = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    try:
        for one in neighbors:
            assert one.stdout
            one.stdout.readline()
        assert boot(tmp_path, "end") == (0, False)
    finally:
        for one in neighbors:
            one.kill()
            one.communicate()
    assert boot(tmp_path, "end") == (3, True)


def test_a_record_cut_short_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text('{"release": "r1", "na')
    assert boot(tmp_path, "end") == (0, False)
    assert not (tmp_path / "1.json").exists()


def test_healthy_clears_only_what_has_ended(tmp_path: Path) -> None:
    guard = BootGuard(tmp_path, "r1")
    first, second = guard.begin(True), guard.begin(True)
    boot(tmp_path, "die")
    first.healthy()
    assert len(list(tmp_path.glob("*.json"))) == 2
    first.end()
    second.end()


def test_the_service_says_loudly_that_native_is_off(start: Starter, tmp_path: Path) -> None:
    for _ in range(3):
        boot(tmp_path / "state" / "boots", "die", "r9")
    served = start("--release", "r9", env={"AGENTCORE_NATIVE_AGENT_CORE_UTILS": "auto"})
    body = served.ask("GET", "/readyz").json
    assert body["status"] == "ready"
    assert body["flavor"] == "python"
    assert "boot guard: died 3 times" in body["reason"]
    assert {one["state"] for one in body["components"].values()} == {"disabled"}
    assert "agentcore_boot_guard_active 1.0" in served.ask("GET", "/metrics").body.decode()
    assert served.stop() == 0
    assert "ERROR" in served.log.read_text()
    other = start("--release", "r10").ask("GET", "/readyz").json
    assert "boot guard" not in other["reason"]


def test_required_native_is_not_overridden_but_refused(tmp_path: Path) -> None:
    for _ in range(3):
        boot(tmp_path / "boots", "die", "")
    command = [sys.executable, "-m", "agentcore", "serve", "--uds", str(tmp_path / "s")]
    done = subprocess.run(
        [*command, "--state-dir", str(tmp_path)],
        check=False,
        env={**__import__("os").environ, "AGENTCORE_NATIVE": "require"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 64
    assert "boot guard" in done.stderr


def test_a_killed_service_leaves_a_death_only_if_it_was_native(start: Starter) -> None:
    served = start("--release", "r1", env={"AGENTCORE_NATIVE": "off"})
    served.stop(signal.SIGKILL)
    assert boot(served.state / "boots", "end") == (0, False)


@pytest.mark.slow
def test_a_native_service_that_dies_again_and_again_comes_back_in_python(start: Starter) -> None:
    served = start("--release", "r1")
    if served.ask("GET", "/readyz").json["flavor"] != "native":
        pytest.skip("no native component is there")
    served.stop(signal.SIGSEGV)
    for _ in range(2):
        start("--release", "r1").stop(signal.SIGABRT)
    body = start("--release", "r1").ask("GET", "/readyz").json
    assert body["flavor"] == "python"
    assert "boot guard" in body["reason"]
    assert start("--release", "r2").ask("GET", "/readyz").json["flavor"] == "native"


@pytest.mark.slow
def test_many_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BOOT, str(tmp_path), "r1", "die", "native"]
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(12)]
    for child in children:
        child.wait(30)
    time.sleep(0.1)
    deaths, active = boot(tmp_path, "end")
    assert 3 <= deaths <= 12  # those that began after the third were in Python
    assert active
