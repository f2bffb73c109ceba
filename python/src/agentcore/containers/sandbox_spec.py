"""Sandbox requests: what may be asked, the defaults, and the create request made of it. Pure.

A sandbox is a throw-away container: no network, read-only root, no capabilities, no new
privileges, an unprivileged user, limits on memory, processors, processes, time and output.
"""

from __future__ import annotations

import re
from typing import Any

from agentcore.containers.contract import TemplateError
from agentcore.containers.policy import parse_policy
from agentcore.containers.reading import Reader
from agentcore.containers.service_spec import MIN_MEMORY
from agentcore.containers.values import clean_path, parse_bytes, parse_decimal, parse_duration, show

__all__ = ["parse_sandbox", "sandbox_config"]

LABEL_SANDBOX = "agentcore.sandbox"
LABEL_DEADLINE = "agentcore.sandbox-deadline"
SANDBOX_KEYS = (
    "command", "cpus", "environment", "image", "memory", "network", "output_limit", "pids",
    "stdin", "timeout", "tmpfs_size", "user", "working_dir",
)  # fmt: skip
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", re.A)
_USER = re.compile(r"[A-Za-z0-9_.-]{1,64}(?::[A-Za-z0-9_.-]{1,64})?", re.A)
MAX_OUTPUT = 16_777_216
MAX_STDIN = 1_048_576


def parse_sandbox(request: Any, policy: dict[str, Any]) -> dict[str, Any]:
    """Validate a sandbox request and write out its defaults.

    Raises:
        TemplateError: an unknown key, a wrong value, or more than the policy allows.
    """
    allowed = parse_policy(policy)
    reader = Reader()
    r = reader.mapping(request, "sandbox", SANDBOX_KEYS)
    found: dict[str, Any] = {
        "image": reader.text(r.get("image"), "sandbox.image", "an image's name or id", _IMAGE),
        "command": reader.texts(r.get("command"), "sandbox.command", "a list of words"),
        "environment": reader.pairs(r.get("environment"), "sandbox.environment", {}),
    }
    high = allowed["sandbox_max_memory_bytes"]
    found["memory_bytes"] = _bounded(
        r.get("memory"), "memory", parse_bytes, min(134_217_728, high), MIN_MEMORY, high,
        f"a size from 6m to the policy's {high} bytes", reader,
    )  # fmt: skip
    high = allowed["sandbox_max_nano_cpus"]
    found["nano_cpus"] = _bounded(
        r.get("cpus"), "cpus", parse_decimal, min(500_000_000, high), 10_000_000, high,
        f"a number of processors from 0.01 to the policy's {high} billionths", reader,
    )  # fmt: skip
    high = allowed["sandbox_max_seconds"]
    found["timeout_ns"] = _bounded(
        r.get("timeout"), "timeout", parse_duration, min(10, high) * 10**9, 10**8, high * 10**9,
        f"a duration from 100ms to the policy's {high}s", reader,
    )  # fmt: skip
    found["output_limit"] = _bounded(
        r.get("output_limit"), "output_limit", parse_bytes, 65_536, 1, MAX_OUTPUT,
        "a size of at most 16m", reader,
    )  # fmt: skip
    found["tmpfs_bytes"] = _bounded(
        r.get("tmpfs_size"), "tmpfs_size", parse_bytes, 16_777_216, 4096,
        allowed["sandbox_max_memory_bytes"], "a size from 4k to the largest memory", reader,
    )  # fmt: skip
    pids, most = r.get("pids"), allowed["sandbox_max_pids"]
    found["pids"] = min(64, most) if pids is None else reader.whole(pids, "sandbox.pids", 1, most)
    user = r.get("user", "65534:65534")
    found["user"] = reader.text(user, "sandbox.user", "user or user:group", _USER)
    found["network"] = reader.boolean(r.get("network"), "sandbox.network")
    if found["network"] and not allowed["sandbox_allow_network"]:
        reader.problem("sandbox.network", "true", "false, or sandbox_allow_network in the policy")
    workdir = r.get("working_dir", "/tmp")  # noqa: S108  (the container's own tmpfs)
    found["working_dir"] = clean_path(workdir) if isinstance(workdir, str) else None
    if found["working_dir"] is None:
        reader.problem("sandbox.working_dir", show(workdir), "an absolute path")
    stdin = r.get("stdin", "")
    if not isinstance(stdin, str) or len(stdin.encode()) > MAX_STDIN:
        reader.problem("sandbox.stdin", show(stdin), f"a text of at most {MAX_STDIN} bytes")
    found["stdin"] = stdin
    if any("\0" in word for word in (*found["command"], *found["environment"].values())):
        reader.problem("sandbox", "a NUL character", "text without it")
    if reader.problems:
        raise TemplateError(reader.problems)
    return found


def _bounded(
    node: Any, key: str, parse: Any, default: int, low: int, high: int, rule: str, reader: Reader
) -> int:
    if node is None:
        return default
    value = parse(reader.scalar(node, f"sandbox.{key}"))
    if value is None or not low <= value <= high:
        reader.problem(f"sandbox.{key}", show(node), rule)
        return default
    return int(value)


def sandbox_config(sandbox: dict[str, Any], image_id: str, deadline: int) -> dict[str, Any]:
    """Return the body of the engine's create request for a sandbox.

    Args:
        sandbox: what ``parse_sandbox`` returned.
        image_id: the image's id.
        deadline: Unix time in seconds after which anybody may remove the container.
    """
    body: dict[str, Any] = {
        "Image": image_id,
        "AttachStdout": True,
        "AttachStderr": True,
        "Env": [f"{key}={value}" for key, value in sorted(sandbox["environment"].items())],
        "Labels": {LABEL_SANDBOX: "1", LABEL_DEADLINE: str(deadline)},
        "User": sandbox["user"],
        "WorkingDir": sandbox["working_dir"],
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": 0,
        "HostConfig": {
            "CapDrop": ["ALL"],
            "Init": False,
            "LogConfig": {"Type": "none", "Config": {}},  # output goes to the caller, not to a disk
            "Memory": sandbox["memory_bytes"],
            "MemorySwap": sandbox["memory_bytes"],
            "NanoCpus": sandbox["nano_cpus"],
            "NetworkMode": "bridge" if sandbox["network"] else "none",
            "PidsLimit": sandbox["pids"],
            "ReadonlyRootfs": True,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "SecurityOpt": ["no-new-privileges:true"],
            "Tmpfs": {
                "/tmp": f"rw,noexec,nosuid,nodev,size={sandbox['tmpfs_bytes']},mode=1777"  # noqa: S108
                + _owner(sandbox["user"])
            },
        },
    }
    if sandbox["command"]:
        body["Cmd"] = sandbox["command"]
    if sandbox["stdin"]:
        body |= {"AttachStdin": True, "OpenStdin": True, "StdinOnce": True}
    return body


def _owner(user: str) -> str:
    """Make ``/tmp`` a numeric user's own.

    runc before 1.2 gives a tmpfs the mode of the image's directory, whatever mode is asked for.
    """
    uid, _, gid = user.partition(":")
    numeric = re.fullmatch(r"[0-9]+:[0-9]+", f"{uid}:{gid or '0'}", re.A)
    return f",uid={uid},gid={gid or '0'}" if numeric else ""
