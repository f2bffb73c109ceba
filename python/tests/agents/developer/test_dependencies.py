"""Dependency problems, with their lines, in requirements files and pyproject.toml."""

from __future__ import annotations

import pytest

from agentcore.agents.contract import Severity
from agentcore.agents.developer.dependencies import find_dependency_problems

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def found(text: str, path: str = "requirements.txt") -> list[tuple[str, int]]:
    return [(f.rule, f.line) for f in find_dependency_problems([(path, text)])]


def test_a_clean_file() -> None:
    text = (
        "# pins\n--index-url https://pypi.org/simple\n-r other.txt\n"
        "numpy==2.4.6 \\\n    --hash=sha256:aa\nPyYAML[x]==6.0.3 ; python_version >= '3.11'\n"
        f"lib @ git+https://example.org/lib@{COMMIT}\n-e .\n"
    )
    assert found(text) == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("requests", "DEP001"),
        ("requests>=2", "DEP001"),
        ("requests==2.*", "DEP001"),
        ("requests=2.0", "DEP002"),
        ("requests==2.0 foo", "DEP002"),
        ("==1.0", "DEP002"),
        ("git+https://example.org/lib@main", "DEP004"),
        ("lib @ https://example.org/lib.whl", "DEP004"),
        ("--extra-index-url http://pypi.internal/simple", "DEP005"),
        (f"git+http://example.org/lib@{COMMIT}", "DEP005"),
    ],
)
def test_each_problem(line: str, rule: str) -> None:
    assert found(f"numpy==1.0\n\n{line}\n") == [(rule, 3)]


def test_duplicates_are_told_by_normalized_name_and_version() -> None:
    text = "Foo_Bar==1.0\nfoo-bar==1.0\nfoo.bar==2.0\nfoo-bar==3.0; sys_platform == 'win32'\n"
    findings = find_dependency_problems([("requirements.txt", text)])
    assert [(f.rule, f.line, f.severity) for f in findings] == [
        ("DEP003", 2, Severity.LOW),
        ("DEP003", 3, Severity.MEDIUM),
    ]


def test_pyproject() -> None:
    text = """[project]
dependencies = [
  "numpy>=2",
  "broken==",
]
[project.optional-dependencies]
a = ["x==1.0", "x==2.0"]
[dependency-groups]
dev = ["pytest", {include-group = "a"}]
"""
    assert found(text, "sub/pyproject.toml") == [
        ("DEP001", 3),
        ("DEP002", 4),
        ("DEP003", 7),
        ("DEP001", 9),
    ]


def test_a_library_may_state_ranges() -> None:
    text = '[project]\ndependencies = ["numpy>=2"]\n'
    (finding,) = find_dependency_problems([("pyproject.toml", text)])
    assert finding.severity is Severity.INFO


def test_pyproject_that_is_no_toml() -> None:
    assert found("[project\n", "pyproject.toml") == [("DEP002", 1)]
    assert found("[project]\ndependencies = 1\n", "pyproject.toml") == [("DEP002", 0)]
    assert found("project = 1\n", "pyproject.toml") == []


def test_other_files_are_not_read() -> None:
    assert found("requests\n", "notes.txt") == []
