"""Complexity by hand-counted functions."""

from __future__ import annotations

import pytest

from agentcore.agents.developer.complexity import find_complexity, measure


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("pass", 1),
        ("if a: pass\n  elif b: pass\n  else: pass", 3),
        ("for x in y: pass\n  while z: pass", 3),
        ("return a and b or c", 3),
        ("try: pass\n  except A: pass\n  except B: pass", 3),
        ("return [x for x in y if x if z]", 4),
        ("return 1 if a else 2", 2),
        ("match a:\n    case 1: pass\n    case 2: pass\n    case _: pass", 3),
        ("def g():\n    if a: pass\n  return g", 1),
        ("return lambda: a or b", 2),
        ("assert a", 2),
    ],
)
def test_counts(body: str, paths: int) -> None:
    assert measure("f.py", f"def f():\n  {body}\n")[0].complexity == paths


def test_names_lines_and_nesting() -> None:
    text = "class A:\n  @d\n  def m(self):\n    def n(): pass\n    return n\nasync def z(): pass\n"
    assert [(m.name, m.line, m.lines) for m in measure("f.py", text)] == [
        ("A.m", 3, 3),
        ("A.m.n", 4, 1),
        ("z", 6, 1),
    ]


def test_findings() -> None:
    branchy = "def f(a):\n" + "  if a: pass\n" * 11
    long = "def g():\n" + "  x = 1\n" * 61
    findings, hotspots = find_complexity([("a.py", branchy), ("b.py", long), ("c.txt", "if if")])
    assert [(f.rule, f.path, f.line) for f in findings] == [
        ("CPX001", "a.py", 1),
        ("CPX002", "b.py", 1),
    ]
    assert hotspots[0]["name"] == "f"


@pytest.mark.parametrize("text", ["def f(:\n", "x = '\0'", "(" * 3000])
def test_what_does_not_parse_is_a_finding(text: str) -> None:
    findings, _ = find_complexity([("a.py", text)])
    assert [f.rule for f in findings] == ["CPX003"]


def test_the_warnings_of_the_code_are_not_ours() -> None:
    assert find_complexity([("a.py", "def f(): return '\\d'\n")])[0] == []
