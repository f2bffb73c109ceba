"""The Developer agent over real files, and its report as SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentcore.agents.developer import DeveloperAgent
from agentcore.agents.developer.tree import read_tree
from agentcore.agents.sarif import to_sarif
from agentcore.errors import InputError
from agentcore.integration import RustIntegrationManager
from agentcore.text import FastStringProcessor

COMPONENT = "agent_core_utils"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a b.py").write_text("k = 'AKIA" + "QWERTYUIOPASDFGH'\n")
    (tmp_path / "requirements.txt").write_text("requests\n")
    (tmp_path / "image.bin").write_bytes(b"\0\1AKIAQWERTYUIOPASDFGH")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("token")
    (tmp_path / "link").symlink_to("/etc/passwd")
    return tmp_path


def test_the_tree_holds_text_files_only(project: Path) -> None:
    assert [path for path, _ in read_tree(project).files] == ["pkg/a b.py", "requirements.txt"]
    assert [path for path, _ in read_tree(project / "requirements.txt").files] == [
        "requirements.txt"
    ]


def test_a_tree_without_anything(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text file"):
        read_tree(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_tree(tmp_path / "none")


def test_findings_and_sarif(project: Path, manager: RustIntegrationManager) -> None:
    files = [{"path": path, "content": text} for path, text in read_tree(project).files]
    report = DeveloperAgent(FastStringProcessor(manager=manager)).run({"files": files})
    assert [(f.rule, f.path, f.line) for f in report.findings] == [
        ("SEC002", "pkg/a b.py", 1),
        ("DEP001", "requirements.txt", 1),
    ]
    assert any("yanked" in notice for notice in report.notices)
    log = json.loads(json.dumps(to_sarif(report, "0.1.0")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "pkg/a%20b.py"},
        "region": {"startLine": 1},
    }
