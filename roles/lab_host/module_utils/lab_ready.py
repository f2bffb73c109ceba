"""Waits until lab hosts can be worked with: systemd up, engine answering, sshd letting us in."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.lab_engine import EngineError, docker

PAUSE = 0.5
#: What a host is asked, in this order: the word for the message, and the command that must succeed
#: inside it.
QUESTIONS = (
    (
        "systemd to finish booting",
        ("sh", "-c", "case $(systemctl is-system-running) in running|degraded) ;; *) exit 1; esac"),
    ),
    ("its Docker engine to answer", ("docker", "version", "--format", "{{.Server.Version}}")),
    ("sshd to run", ("systemctl", "is-active", "--quiet", "ssh.service")),
)


def evidence(container: str) -> str:
    """The last words of a host that is not ready: failed units and journal, or its output."""
    state = docker(
        "container",
        "inspect",
        "--format",
        "{{.State.Status}} {{.State.ExitCode}}",
        container,
        check=False,
    )
    if not state.stdout.startswith("running"):
        logs = docker("container", "logs", "--tail", "30", container, check=False)
        status = state.stdout.strip() or "gone"
        return f"the container is {status}; its last output:\n{logs.stdout}{logs.stderr}"
    failed = docker(
        "exec", container, "systemctl", "--failed", "--no-legend", "--plain", check=False
    ).stdout
    journal = docker(
        "exec", container, "journalctl", "--no-pager", "--lines", "30", check=False
    ).stdout
    return f"failed units:\n{failed or 'none'}\nend of its journal:\n{journal}"


def first_unmet(container: str) -> str | None:
    """What this host still lacks; None if it is ready."""
    for lacking, command in QUESTIONS:
        try:
            if docker("exec", container, *command, check=False, timeout=20).returncode != 0:
                return lacking
        except EngineError:
            return lacking
    return None


def wait(name: str, plan: dict[str, Any], timeout: float) -> str:
    """Waits at most `timeout` seconds for all hosts of the plan; returns a known_hosts text.

    The host keys are read inside the containers, through the engine, so that the first SSH
    connection is checked too.
    Raises EngineError with the host, what it lacked and the end of its journal.
    """
    deadline = time.monotonic() + timeout
    lines = []
    for host, given in plan["hosts"].items():
        container = f"{name}-{host}"
        while (lacking := first_unmet(container)) is not None:
            if time.monotonic() > deadline:
                raise EngineError(
                    f"{host}: waited {timeout:.0f} s for {lacking}; {evidence(container)}"
                )
            time.sleep(PAUSE)
        key = docker("exec", container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[
            :2
        ]
        lines.append(f"[127.0.0.1]:{given['ports']['22']} {' '.join(key)}\n")
    return "".join(lines)


def log_in(plan: dict[str, Any], key: Path, known_hosts: Path, timeout: float) -> None:
    """Logs in to every host once, host key checked. Raises EngineError if one refuses for long."""
    deadline = time.monotonic() + timeout
    for host, given in plan["hosts"].items():
        command = [
            *("ssh", "-F", "none", "-i", str(key), "-p", str(given["ports"]["22"])),
            *("-o", f"UserKnownHostsFile={known_hosts}", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=10"),
            *("root@127.0.0.1", "true"),
        ]
        while True:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if done.returncode == 0:
                break
            if time.monotonic() > deadline:
                raise EngineError(
                    f"{host}: can't log in over SSH within {timeout:.0f} s: {done.stderr.strip()}"
                )
            time.sleep(PAUSE)
