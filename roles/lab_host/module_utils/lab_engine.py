"""Talks to the control machine's Docker engine through its client, so no library is needed."""

from __future__ import annotations

import json
import subprocess
from typing import Any

#: Label that marks everything of a lab; its value is the lab's name.
LABEL = "agentcore.lab"
#: Label of a container: hash of the spec that it was made from.
SPEC = "agentcore.lab.spec"


class EngineError(RuntimeError):
    """A docker command failed; the message is the command and what the engine said."""


def docker(
    *arguments: str, timeout: float = 120, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Runs one docker command. Raises EngineError on failure (with check) or after `timeout` s."""
    command = ["docker", *arguments]
    shown = " ".join(command[:4])
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise EngineError(
            "the docker client is not installed: apt-get install docker.io"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"`{shown} …` did not end within {timeout:.0f} s") from error
    if check and done.returncode != 0:
        raise EngineError(f"`{shown} …` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """What the engine knows of a container, network, volume or image; None if there is none."""
    done = docker(kind, "inspect", name, check=False)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found
    if "no such" in done.stderr.lower() or "not found" in done.stderr.lower():
        return None
    raise EngineError(f"`docker {kind} inspect {name}` failed: {done.stderr.strip()}")


def labelled(kind: str, lab: str) -> list[str]:
    """Names of all containers (also stopped), networks or volumes of a lab."""
    field = "{{.Names}}" if kind == "container" else "{{.Name}}"
    every = ["--all"] if kind == "container" else []
    done = docker(kind, "ls", *every, "--filter", f"label={LABEL}={lab}", "--format", field)
    return sorted(done.stdout.split())


def busy_networks() -> list[str]:
    """Networks that the engine or the machine's routes already use."""
    names = docker("network", "ls", "--format", "{{.Name}}").stdout.split()
    found = []
    for network in json.loads(docker("network", "inspect", *names).stdout) if names else []:
        found += [
            part["Subnet"] for part in network["IPAM"].get("Config") or [] if part.get("Subnet")
        ]
    try:
        routes = subprocess.run(
            ["ip", "-json", "-4", "route"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
        found += [route["dst"] for route in json.loads(routes) if route["dst"] != "default"]
    except (OSError, subprocess.SubprocessError, ValueError):
        pass  # No iproute2 here: the engine's own networks are what matters most.
    return found
