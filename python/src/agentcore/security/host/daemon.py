"""How the Docker daemon is configured: ``daemon.json`` and the flags of the running dockerd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agentcore.security.contract import Outcome, not_applicable, unknown
from agentcore.security.host.tree import Host, UnreadableError
from agentcore.security.host.words import strict_json, trim

_CONFIG = "/etc/docker/daemon.json"
_DEFAULT_DATA_ROOT = "/var/lib/docker"
_SWITCHES = ("live-restore", "tls", "tlsverify", "no-new-privileges", "icc")
_SHORT = {"H": "host", "g": "data-root", "graph": "data-root"}
_SIGNS = ("/usr/sbin/dockerd", "/usr/bin/dockerd", "/var/lib/docker/containers")


@dataclass(slots=True)
class Daemon:
    """The daemon's configuration, as far as it can be known; a flag wins over the file."""

    present: bool
    problem: str | None
    file: dict[str, Any] = field(default_factory=dict)
    flags: list[tuple[str, str]] = field(default_factory=list)

    def text(self, key: str) -> str | None:
        """A text setting."""
        flag = self._flag(key)
        value = self.file.get(key)
        return flag if flag is not None else value if isinstance(value, str) else None

    def switch(self, key: str) -> bool | None:
        """A yes-or-no setting."""
        flag = self._flag(key)
        value = self.file.get(key)
        return flag != "false" if flag is not None else value if isinstance(value, bool) else None

    def list(self, file_key: str, flag_key: str) -> list[str]:
        """A list setting, of the file and of the flags together."""
        value = self.file.get(file_key)
        items = value if isinstance(value, list) else []
        from_file = [item for item in items if isinstance(item, str)]
        return from_file + [value for flag, value in self.flags if flag == flag_key]

    def log_option(self, key: str) -> str | None:
        """An option of the default log driver."""
        given = [v for flag, v in self.flags if flag == "log-opt" and v.startswith(f"{key}=")]
        if given:
            return given[-1][len(key) + 1 :]
        options = self.file.get("log-opts")
        value = options.get(key) if isinstance(options, dict) else None
        return value if isinstance(value, str) else None

    @property
    def data_root(self) -> str:
        """Docker's data root on the host."""
        return self.text("data-root") or _DEFAULT_DATA_ROOT

    def _flag(self, key: str) -> str | None:
        return next((value for flag, value in reversed(self.flags) if flag == key), None)


def read(host: Host) -> Daemon:
    """Read what can be known of the daemon."""
    flags = _running_flags(host)
    present = flags is not None or any(_is_there(host, path) for path in _SIGNS)
    daemon = Daemon(present, None, {}, flags or [])
    try:
        text = host.root.read(_CONFIG)
    except UnreadableError as problem:
        daemon.present, daemon.problem = True, str(problem)
        return daemon
    if text is None:
        return daemon
    daemon.present = True
    if trim(text):
        try:
            value = strict_json(text)
        except ValueError:
            value = None
        if isinstance(value, dict):
            daemon.file = value
        else:
            daemon.problem = f"{_CONFIG} is not a JSON object"
    return daemon


def _is_there(host: Host, path: str) -> bool:
    try:
        return host.root.stat(path) is not None
    except UnreadableError:
        return True


def _running_flags(host: Host) -> list[tuple[str, str]] | None:
    """The flags of the dockerd that runs on the host itself (not of one in a container)."""
    try:
        processes = host.processes
        own_depth = next((process.depth for process in processes if process.pid == 1), 1)
        daemons = (p for p in processes if p.name == "dockerd" and p.depth == own_depth)
        dockerd = next(daemons, None)
        line = host.procfs.read(f"/{dockerd.pid}/cmdline") if dockerd else None
    except UnreadableError:
        return None
    return None if line is None else _parse_flags(line.split("\0")[1:])


def _parse_flags(given: list[str]) -> list[tuple[str, str]]:
    flags = []
    rest = iter(given)
    for word in rest:
        if not word.startswith("-"):
            continue
        flag = word[2:] if word.startswith("--") else word[1:]
        name, equals, value = flag.partition("=")
        name = _SHORT.get(name, name)
        if not equals:
            value = "true" if name in _SWITCHES else next(rest, "")
        flags.append((name, value))
    return flags


def judge(host: Host, rule: Callable[[Daemon], Outcome]) -> list[Outcome]:
    """One outcome about the daemon; not applicable without Docker, an error if unreadable."""
    daemon = host.daemon
    if not daemon.present:
        return [not_applicable(SUBJECT, "no Docker engine is installed")]
    if daemon.problem is not None:
        return [unknown(SUBJECT, daemon.problem)]
    return [rule(daemon)]


SUBJECT = "docker daemon"
