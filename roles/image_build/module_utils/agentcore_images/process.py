"""Runs a program with a deadline, its output kept in a file, and signs of life for the reader."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import BuildError

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

    The program gets a process group of its own, which is ended whole if the deadline passes or
    this process is interrupted: no child outlives the build.

    Raises:
        BuildError: the program is missing, fails, or is not done in time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    name = Path(command[0]).name
    with log.open("wb") as sink:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise BuildError(command[0], f"cannot be run: {error.strerror}") from error
        with _owned(child):
            _wait(child, name, log, timeout_seconds, say)
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


@contextlib.contextmanager
def _owned(child: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if child.poll() is None:
            _signal(child, signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


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
