"""Try a native module in a child process, with a deadline, and say how it went.

A shared object that aborts, crashes or hangs while it is imported would take the
service with it. In a child it takes the child, and the parent reads from the
last step the child reported what the cause was.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from agentcore.integration.probe import Verdict

__all__ = ["PROBE_DEADLINE", "try_in_child"]

PROBE_DEADLINE = 10.0
"""Seconds that a module has to import and pass its self-test."""


def try_in_child(module: str, file: str, version: str, deadline: float) -> Verdict:
    """Import and self-test ``module`` in a child process.

    Args:
        module: the module's name.
        file: the shared object, or an empty string for an installed module.
        version: the version it must have.
        deadline: seconds until the child is killed.

    Returns:
        The verdict; ``broken`` when the child died or hung while importing,
        ``self_test_failed`` when it did so later. Never raises for a bad module.
    """
    command = [sys.executable, "-P", "-m", "agentcore.integration.probe"]
    try:
        child = subprocess.Popen(
            [*command, module, file, version, str(deadline)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _import_path()},
        )
    except OSError as error:
        return Verdict("broken", f"the probe process could not be started: {error}")
    late = False
    with child:
        try:
            out, err = child.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            late = True
            child.kill()
            out, err = b"", b""
            # A process that the module left behind may hold the pipes open.
            with suppress(subprocess.TimeoutExpired):
                out, err = child.communicate(timeout=1)
        finally:
            child.kill()
    return _judge(out, err, child.returncode, deadline if late else None)


def _import_path() -> str:
    """Return this process's import path, so that the child finds the very same package."""
    return os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path)


def _judge(out: bytes, err: bytes, status: int, missed: float | None) -> Verdict:
    step = "starting"
    for line in out.decode("utf-8", "replace").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # a line cut short by death
        if "verdict" in said and missed is None and status == 0:
            return Verdict(*said["verdict"])
        step = said.get("step", "finishing")
    state = "self_test_failed" if step.startswith("self-test") else "broken"
    doing = step if state == "broken" else f"running {step}"
    if missed is not None:
        return Verdict(state, f"did not finish {doing} within {missed:g} s")
    last = err.decode("utf-8", "replace").strip().splitlines()
    said_last = f": {last[-1][:200]}" if last else ""
    if status < 0:
        return Verdict(state, f"killed by {_signal_name(-status)} while {doing}{said_last}")
    return Verdict(state, f"ended the process with status {status} while {doing}{said_last}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
