"""No secret stands in a container's environment, which `docker inspect` shows."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, each, texts
from agentcore.security.host.tree import Host
from agentcore.security.host.words import upper

_NAMES = (
    "ACCESS_KEY",
    "API_KEY",
    "APIKEY",
    "CREDENTIAL",
    "PASSWD",
    "PASSWORD",
    "PRIVATE_KEY",
    "SECRET",
    "TOKEN",
)
"""A variable with one of these words in its name holds a secret …"""
_PLACES = ("_FILE", "_PATH", "_DIR")
"""… unless it only says where the secret is."""
_VALUES = ("-----BEGIN ", "AKIA", "ghp_", "github_pat_", "glpat-", "xoxb-")
"""Values that are secrets whatever they are called."""


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    entries = (entry.partition("=") for entry in texts(container.inner("Env")))
    found = sorted({name for name, is_set, value in entries if is_set and _is_secret(name, value)})
    if found:
        return failed(container.name, f"variables {', '.join(found)}")
    return passed(container.name, "no variable looks like a secret")


def _is_secret(name: str, value: str) -> bool:
    name = upper(name)
    named = any(word in name for word in _NAMES) and not name.endswith(_PLACES)
    return bool(value) and (named or value.startswith(_VALUES) or _has_login(value))


def _has_login(value: str) -> bool:
    """``scheme://user:password@host``."""
    _, _, rest = value.partition("://")
    login, at, _ = rest.split("/")[0].rpartition("@")
    return bool(at and login.partition(":")[2])


CHECK = Check(
    id="container-env-secrets",
    title="no secret stands in a container's environment",
    severity="high",
    reference="CIS Docker 1.6.0 4.10",
    fix="Give the secret as a file, name it in a variable ending in _FILE, change the secret.",
    run=_run,
)
