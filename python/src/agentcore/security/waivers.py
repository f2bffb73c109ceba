"""Waivers: findings that the team has accepted, each with its reason.

The file is a JSON list of ``{"check": id, "subject": glob, "reason": text}``. A waiver covers
failures and what could not be looked at; the evidence tells which it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentcore.security import checks
from agentcore.security.contract import bad_input
from agentcore.security.glob import matches
from agentcore.security.host.words import strict_json, trim

_KEYS = ("check", "subject", "reason")
_THREE = '"check", "subject" and "reason"'
_WANTS = {
    "check": "the id of a check",
    "subject": "a subject, where * stands for anything",
    "reason": "why this is accepted",
}


@dataclass(slots=True)
class Waiver:
    """An accepted finding, and whether it covered anything yet."""

    check: str
    subject: str
    reason: str
    used: bool = False

    def to_dict(self) -> dict[str, str]:
        """As the report shows it."""
        return {"check": self.check, "subject": self.subject, "reason": self.reason}


def parse(text: str) -> list[Waiver]:
    """Read a waivers file.

    Raises:
        ValueError: names the entry that cannot be used.
    """
    try:
        entries = strict_json(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        raise bad_input(
            "waivers", "not a JSON list", 'a list of {"check", "subject", "reason"}'
        ) from None
    return [_one(f"waivers[{number}]", entry) for number, entry in enumerate(entries)]


def _one(place: str, entry: Any) -> Waiver:
    if not isinstance(entry, dict):
        raise bad_input(place, "not an object", _THREE)
    for key in sorted(entry):
        if key not in _KEYS:
            raise bad_input(place, f'unknown key "{key}"', _THREE)
    check, subject, why = (_field(place, entry, key) for key in _KEYS)
    if all(one.id != check for one in checks.ALL):
        what = f'there is no check "{check}"'
        raise bad_input(place, what, "an id from the catalog of checks")
    return Waiver(check, subject, why)


def _field(place: str, entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not trim(value):
        raise bad_input(f"{place}.{key}", "missing or empty", _WANTS[key])
    return trim(value)


def reason(waivers: list[Waiver], check: str, subject: str) -> str | None:
    """The reason of the first waiver that covers this subject of this check."""
    for waiver in waivers:
        if waiver.check == check and matches(waiver.subject, subject):
            waiver.used = True
            return waiver.reason
    return None
