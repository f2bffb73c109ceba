"""The fleet report: what is merged, what is missing, the exit status, and that nothing gets out."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from agentcore.security import report

RECORDED = Path(__file__).parent.parent / "fixtures/security/hosts/mixed.report.json"
EVIL = "<script>alert(1)</script>\x1b[2J\u202e"


def finding(severity: str, status: str, subject: str = "x") -> dict[str, str]:
    return {
        "check": "account-uid-zero",
        "title": "only root has user id 0",
        "severity": severity,
        "status": status,
        "subject": subject,
        "evidence": subject,
        "fix": "remove it",
        "reference": "ours",
        "reason": "because" if status == "waived" else "",
    }


def put(folder: Path, host: str, *findings: dict[str, str]) -> None:
    text = RECORDED.read_text(encoding="utf-8")
    base = {**json.loads(text), "host": host, "drift": [], "unused_waivers": []}
    folder.mkdir(exist_ok=True)
    (folder / f"{host}.json").write_text(json.dumps({**base, "findings": list(findings)}))


def run(folder: Path, *flags: str) -> tuple[int, dict[str, Any]]:
    out = folder.parent / "out"
    status = report.main(["--input", str(folder), "--output", str(out), *flags])
    path = out / "security.json"
    return status, json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@pytest.mark.parametrize(
    ("severity", "fail_on", "status"),
    [
        ("critical", "critical", 2),
        ("high", "critical", 0),
        ("high", "high", 2),
        ("medium", "high", 0),
        ("low", "low", 2),
        ("critical", "none", 0),
    ],
)
def test_exit_status_by_severity(tmp_path: Path, severity: str, fail_on: str, status: int) -> None:
    put(tmp_path / "in", "h1", finding(severity, "fail"))
    found, merged = run(tmp_path / "in", "--fail-on", fail_on)
    assert found == merged["exit_status"] == status


@pytest.mark.parametrize("status", ["pass", "waived", "not_applicable", "error"])
def test_what_is_no_failure_does_not_fail(tmp_path: Path, status: str) -> None:
    put(tmp_path / "in", "h1", finding("critical", status))
    assert run(tmp_path / "in", "--fail-on", "low")[0] == 0


def test_what_is_not_known_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "in", "h1", finding("critical", "error", "unseen"), finding("low", "pass"))
    status, merged = run(tmp_path / "in", "--fail-on", "critical")
    assert (status, merged["summary"]["critical"]["error"]) == (0, 1)
    printed = capsys.readouterr().out
    page = (tmp_path / "out/security.html").read_text(encoding="utf-8")
    assert "could not be looked at, and not known to be good:" in printed
    assert "h1: unseen — unseen" in printed
    assert "<h2>What could not be looked at</h2>" in page
    assert "<td>unseen</td>" in page
    for shown in (printed, page):
        assert "CLEAN: 1 host, no failure of severity critical or above. Not known: 1." in shown


def test_a_waived_finding_keeps_its_evidence(tmp_path: Path) -> None:
    put(tmp_path / "in", "h1", {**finding("critical", "waived"), "evidence": "cannot be seen"})
    run(tmp_path / "in")
    page = (tmp_path / "out/security.html").read_text(encoding="utf-8")
    assert "<td>cannot be seen</td><td>because</td>" in page
    assert "Not known" not in page


def test_an_absent_host_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "in", "h1", finding("critical", "fail"))
    (tmp_path / "in/h3.error").write_text("connection refused\n")
    (tmp_path / "in/h4.json").write_text("{}")
    status, merged = run(tmp_path / "in", "--expect", "h1", "--expect", "h2")
    assert status == 1  # not 2: the fleet was not seen whole
    states = {host["name"]: (host["state"], host["reason"]) for host in merged["hosts"]}
    assert states["h1"] == ("audited", "")
    assert states["h2"] == ("missing", "no report of this host was found")
    assert states["h3"] == ("unreadable", "connection refused")
    assert states["h4"][0] == "unreadable"
    assert "h4.json cannot be used: report: not an audit report" in states["h4"][1]
    printed = capsys.readouterr().out
    assert "INCOMPLETE: 3 of 4 hosts were not seen whole." in printed
    assert "missing: no report of this host was found" in printed


def test_hosts_of_a_scope_are_expected(tmp_path: Path) -> None:
    put(tmp_path / "in", "h1")
    scope = {
        "schema": 1,
        "owner": "ops",
        "networks": ["10.0.0.0/24"],
        "hosts": [{"name": name, "address": "10.0.0.1"} for name in ("h1", "h9")],
        "ports": [],
    }
    (tmp_path / "scope.json").write_text(json.dumps(scope))
    status, merged = run(tmp_path / "in", "--expect-scope", str(tmp_path / "scope.json"))
    assert status == 1
    assert [host["name"] for host in merged["hosts"]] == ["h1", "h9"]


def test_an_empty_folder_is_not_clean(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert run(tmp_path / "in")[0] == 1


def test_scans_show_what_is_reachable(tmp_path: Path) -> None:
    put(tmp_path / "in", "h1")
    states = ("open", "closed", "filtered", "local_error", "skipped")
    target = {
        "name": "h2",
        "address": "10.0.0.2",
        "counts": {**dict.fromkeys(states, 0), "open": 2},
        "ports": {**dict.fromkeys(states, ""), "open": "22,8700"},
        "reasons": {},
    }
    scan = {"schema": 1, "kind": "scan", "complete": True, "targets": [target]}
    (tmp_path / "in/h1.scan.json").write_text(json.dumps(scan))
    status, merged = run(tmp_path / "in")
    assert status == 0
    assert merged["scans"][0]["from"] == "h1"
    page = (tmp_path / "out/security.html").read_text(encoding="utf-8")
    assert "<code>22,8700</code>" in page
    (tmp_path / "in/h1.scan.json").write_text("{}")
    assert run(tmp_path / "in")[0] == 1


class Page(HTMLParser):
    """Collects the elements of a page and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_hostile_text_stays_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "in", "h1", finding("critical", "fail", EVIL), finding("low", "waived", EVIL))
    run(tmp_path / "in")
    text = (tmp_path / "out/security.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert "script" not in page.tags
    assert page.loads == []
    printed = capsys.readouterr().out
    for shown in (text, printed):
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_sarif_holds_a_run_for_each_host(tmp_path: Path) -> None:
    put(tmp_path / "in", "h1", finding("critical", "fail"))
    put(tmp_path / "in", "h2", finding("low", "waived"), finding("high", "error"))
    run(tmp_path / "in")
    log = json.loads((tmp_path / "out/security.sarif").read_text(encoding="utf-8"))
    assert log["version"] == "2.1.0"
    first, second = log["runs"]
    assert [result["level"] for result in first["results"]] == ["error"]
    assert [result["kind"] for result in second["results"]] == ["fail", "open"]
    assert second["results"][0]["suppressions"][0]["justification"] == "because"
    for one in (first, second):
        rules = one["tool"]["driver"]["rules"]
        for result in one["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


@pytest.mark.parametrize(
    ("flags", "want"),
    [
        (["--input", "/nonexistent", "--output", "x"], "--input /nonexistent: not a folder"),
        (["--input", "/", "--output", "x", "--fail-on", "bad"], "--fail-on"),
        (["--output", "x"], "--input"),
        (
            ["--input", "/", "--output", "x", "--expect-scope", "/nonexistent"],
            "--expect-scope /nonexistent: cannot be read",
        ),
    ],
)
def test_bad_flags_exit_64(flags: list[str], want: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(flags) == 64
    assert want in capsys.readouterr().err
