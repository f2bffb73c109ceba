"""Checks declared dependencies: unpinned, malformed, declared twice, fetched insecurely.

It reads requirements files (``requirements*.txt``, ``constraints*.txt``) and ``pyproject.toml``.
Whether a release was yanked or has a known weakness is known to the registry alone; offline it
cannot be told, and the report says so.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from agentcore.agents.contract import Finding, Rule, Severity

__all__ = ["NOTICE", "RULES", "find_dependency_problems"]

NOTICE = (
    "Dependencies: yanked releases and known weaknesses can't be told offline; "
    "names, pins and sources were checked."
)

_DEP = {
    "DEP001": ("dependency without an exact version", "pin it: name==1.2.3, best with hashes"),
    "DEP002": ("malformed requirement", "write it as PEP 508 has it: name[extra]==1.2.3; marker"),
    "DEP003": ("dependency declared twice", "keep one declaration"),
    "DEP004": ("source that can change under its name", "name a full commit id or add a hash"),
    "DEP005": ("package index or source without TLS", "use https"),
}
RULES = tuple(Rule(key, title, fix) for key, (title, fix) in _DEP.items())

_REQUIREMENTS = re.compile(r"(?:^|/)(?:requirements|constraints)[\w.-]*\.(?:txt|in|lock)$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_OPTION = re.compile(r"\s--(?:hash|config-settings?|global-option)[= ]\S+")
_COMMIT = re.compile(r"@[0-9a-f]{40}(?:[#\s]|$)")
_INSECURE = re.compile(r"\b(?:git\+)?http://(?!localhost\b|127\.0\.0\.1\b)\S+|\bgit://\S+")
_SECURE_SOURCE = re.compile(r"#sha256=|--hash=")


@dataclass(frozen=True)
class _Declared:
    path: str
    line: int
    group: str
    """Declarations of the same name in one group are duplicates."""
    text: str
    library: bool = False
    """A library states ranges on purpose; only an application's list must be exact."""


def find_dependency_problems(files: Sequence[tuple[str, str]]) -> list[Finding]:
    """Return what is wrong with the dependencies that ``files`` declare."""
    findings: list[Finding] = []
    seen: dict[tuple[str, str, str], tuple[Requirement, int]] = {}
    for path, text in files:
        if _REQUIREMENTS.search(path):
            declared = list(_requirements(path, text, findings))
        elif path.rpartition("/")[2] == "pyproject.toml":
            declared = list(_pyproject(path, text, findings))
        else:
            continue
        for one in declared:
            _check(one, seen, findings)
    return findings


def _found(rule: str, severity: Severity, message: str, one: _Declared) -> Finding:
    return Finding(rule, severity, message, one.path, one.line, one.text[:120])


def _check(
    one: _Declared, seen: dict[tuple[str, str, str], tuple[Requirement, int]], out: list[Finding]
) -> None:
    if _INSECURE.search(one.text):
        out.append(_found("DEP005", Severity.HIGH, "fetched without TLS", one))
    bare = _OPTION.sub("", one.text).strip()
    if re.match(r"(?:git|hg|svn|bzr)\+|https?://|file:|\.{0,2}/", bare):
        if not _COMMIT.search(bare) and not _SECURE_SOURCE.search(one.text):
            out.append(
                _found("DEP004", Severity.MEDIUM, "source not fixed to a commit or hash", one)
            )
        return
    try:
        requirement = Requirement(bare)
    except InvalidRequirement as error:
        reason = str(error).split("\n")[0]
        out.append(_found("DEP002", Severity.HIGH, f"not a requirement: {reason}", one))
        return
    name = canonicalize_name(requirement.name)
    marker = str(requirement.marker or "")
    before = seen.setdefault((one.path, f"{one.group}/{name}", marker), (requirement, one.line))
    if before[0] is not requirement:
        same = before[0].specifier == requirement.specifier
        severity, word = (Severity.LOW, "again") if same else (Severity.MEDIUM, "differently")
        out.append(
            _found("DEP003", severity, f"{name} declared {word}, first on line {before[1]}", one)
        )
    if requirement.url:
        fixed = _COMMIT.search(requirement.url + " ") or _SECURE_SOURCE.search(one.text)
        if not fixed:
            message = f"{name}: source not fixed to a commit or hash"
            out.append(_found("DEP004", Severity.MEDIUM, message, one))
    elif not _exact(requirement):
        if not requirement.specifier:
            message, severity = f"{name} has no version at all", Severity.MEDIUM
        else:
            message, severity = f"{name} accepts {requirement.specifier}", Severity.LOW
        if one.library:
            severity = Severity.INFO if requirement.specifier else Severity.LOW
        out.append(_found("DEP001", severity, message, one))


def _exact(requirement: Requirement) -> bool:
    return any(
        spec.operator == "===" or (spec.operator == "==" and not spec.version.endswith(".*"))
        for spec in requirement.specifier
    )


def _requirements(path: str, text: str, out: list[Finding]) -> Iterator[_Declared]:
    start, held = 0, ""
    for number, line in enumerate([*text.split("\n"), ""], 1):
        start = start or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        logical = _COMMENT.sub("", held + line).strip()
        here, start, held = start, 0, ""
        if not logical:
            continue
        if logical.startswith("-") and not re.match(r"-e\s|--editable[= ]", logical):
            if _INSECURE.search(logical):
                out.append(
                    Finding("DEP005", Severity.HIGH, "index without TLS", path, here, logical[:120])
                )
            continue
        editable = re.sub(r"^(?:-e|--editable)[= ]\s*", "", logical)
        if editable != logical and not re.match(r"\w+\+", editable):
            continue  # a folder of this very tree
        yield _Declared(path, here, "requirements", editable)


def _pyproject(path: str, text: str, out: list[Finding]) -> Iterator[_Declared]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        number = int(line[1]) if line else 0
        out.append(Finding("DEP002", Severity.HIGH, f"not TOML: {error}", path, number))
        return
    project: dict[str, Any] = _table(table.get("project"))
    groups: dict[str, tuple[Any, bool]] = {
        "dependencies": (project.get("dependencies"), True),
        "build-system": (_table(table.get("build-system")).get("requires"), True),
    }
    for name, value in _table(project.get("optional-dependencies")).items():
        groups[f"optional-dependencies.{name}"] = (value, True)
    for name, value in _table(table.get("dependency-groups")).items():
        groups[f"dependency-groups.{name}"] = (value, False)
    after: dict[str, int] = {}  # where to look for the next place that says the same
    for group, (items, library) in groups.items():
        if items is not None and not isinstance(items, list):
            out.append(Finding("DEP002", Severity.HIGH, f"{group} is not a list", path))
            continue
        for item in items or ():
            if not isinstance(item, str):
                continue  # {include-group = …}
            place = _place(text, item, after.get(item, 0))
            after[item] = place + 1
            number = text.count("\n", 0, place) + 1 if place >= 0 else 0
            yield _Declared(path, number, group, item, library)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _place(text: str, item: str, start: int) -> int:
    """Return where ``item`` stands in quotes, or -1 if it is written otherwise (escapes)."""
    places = [text.find(f"{quote}{item}{quote}", start) for quote in "\"'"]
    return min((place for place in places if place >= 0), default=-1)
