"""Runs a program with a deadline, its output kept in a file, and signs of life for the reader."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .errors import BuildError

SUPERVISOR = Path(__file__).with_name("supervise.py")
HEARTBEAT_SECONDS = 20.0
POLL_SECONDS = 0.2
TAIL_LINES = 25
PROGRESS = ("Compiling ", "Downloading ", "Downloaded ", "Collecting ")


def run(
    command: list[str],
    log: Path,
    timeout_seconds: float,
    say: Callable[[str], None],
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run ``command`` to its end; its output goes to ``log``.

    The program and its children are ended if the deadline passes, if this process is
    interrupted, and even if it is killed (see ``supervise``): no child outlives the build.

    Raises:
        BuildError: the program is missing, fails, or is not done in time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    name = Path(command[0]).name
    with log.open("wb") as sink:
        child = subprocess.Popen(
            [sys.executable, "-I", str(SUPERVISOR), *command],
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C is for this process; the program ends after it
        )
        try:
            _wait(child, name, log, timeout_seconds, say)
        finally:
            if child.stdin is not None:
                child.stdin.close()
            child.wait()
    if child.returncode != 0:
        raise BuildError(
            name,
            f"ended with status {child.returncode}",
            f"its last words:\n{tail(log)}\nall: {log}",
        )


def _wait(
    child: subprocess.Popen[bytes],
    name: str,
    log: Path,
    timeout_seconds: float,
    say: Callable[[str], None],
) -> None:
    start = time.monotonic()
    next_beat = start + HEARTBEAT_SECONDS
    while child.poll() is None:
        now = time.monotonic()
        if now - start > timeout_seconds:
            raise BuildError(
                name, f"is not done after {timeout_seconds:g} s", f"its last words:\n{tail(log)}"
            )
        if now >= next_beat:
            say(f"  {name} at work for {now - start:.0f} s: {tail(log, 1)[:100]}")
            next_beat = now + HEARTBEAT_SECONDS
        time.sleep(POLL_SECONDS)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log that are not blank."""
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return ""
    told = [line.strip() for line in text.splitlines() if line.strip()]
    if lines > 1:  # a compiler's list of what went well says nothing of what did not
        told = [line for line in told if not line.startswith(PROGRESS)]
    return "\n".join(told[-lines:])
