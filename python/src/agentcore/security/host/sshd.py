"""The configuration sshd would use: sshd_config(5) with ``Include`` and ``Match``.

Outside ``Match`` the first value of a keyword wins. A ``Match`` block overrides it for those it
matches, so each block that sets the keyword is judged by itself.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from agentcore.security.contract import Outcome, not_applicable, pass_if, unknown
from agentcore.security.glob import matches
from agentcore.security.host.tree import Host, UnreadableError
from agentcore.security.host.words import lower, trim, words

_CONFIG = "/etc/ssh/sshd_config"
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class _Setting:
    key: str
    value: str
    block: str | None
    place: str


def judge(host: Host, key: str, default: str, good: Sequence[str]) -> list[Outcome]:
    """One outcome for what holds outside ``Match``, one for each block that sets the keyword."""
    try:
        settings = _read(host)
    except UnreadableError as problem:
        return [unknown("sshd", str(problem))]
    if settings is None:
        return [not_applicable("sshd", "no sshd is installed")]

    def verdict(subject: str, value: str, place: str) -> Outcome:
        evidence = f"{key} {value} ({place}), wants {' or '.join(good)}"
        return pass_if(lower(value) in good, subject, evidence)

    named = [setting for setting in settings if setting.key == lower(key)]
    first = next((setting for setting in named if setting.block is None), None)
    if first is None:
        outcomes = [verdict("sshd", default, "the default")]
    else:
        outcomes = [verdict("sshd", first.value, first.place)]
    seen = set()
    for setting in named:
        if setting.block is not None and setting.block not in seen:
            seen.add(setting.block)
            subject = f"sshd Match {setting.block}"
            outcomes.append(verdict(subject, setting.value, setting.place))
    return outcomes


def _read(host: Host) -> list[_Setting] | None:
    """All settings in order; None if there is no sshd at all."""
    if host.root.stat(_CONFIG) is None and host.root.stat("/usr/sbin/sshd") is None:
        return None
    settings: list[_Setting] = []
    _read_file(host, _CONFIG, None, 0, settings)
    return settings


def _read_file(
    host: Host, path: str, outer: str | None, depth: int, settings: list[_Setting]
) -> None:
    if depth > _MAX_DEPTH:
        raise UnreadableError(path, errno.ELOOP)
    block = outer
    for number, line in enumerate((host.root.read(path) or "").split("\n"), 1):
        split = _split(line)
        if split is None:
            continue
        key, rest = split
        if key == "match":
            block = None if lower(rest) == "all" else rest
        elif key == "include":
            for pattern in words(rest):
                for file in _expand(host, _unquote(pattern)):
                    _read_file(host, file, block, depth + 1, settings)
        else:
            value = _unquote((words(rest) or [""])[0])
            settings.append(_Setting(key, value, block, f"{path}:{number}"))


def _split(line: str) -> tuple[str, str] | None:
    """Keyword (lower case) and the rest; ``Key value`` and ``Key=value`` are the same."""
    line = trim(line)
    if not line or line.startswith("#"):
        return None
    ends = [end for end in map(line.find, " \t=") if end >= 0]
    end = min(ends, default=len(line))
    return lower(line[:end]), line[end:].lstrip(" \t=")


def _unquote(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word


def _expand(host: Host, pattern: str) -> list[str]:
    """The files an ``Include`` names; wildcards in the last part only. Relative: ``/etc/ssh``."""
    full = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
    folder, _, name = full.rpartition("/")
    if "*" not in name and "?" not in name:
        return [full]
    return [
        f"{folder}/{found}"
        for found in host.root.list(folder) or []
        if not found.startswith(".") and matches(name, found)
    ]
