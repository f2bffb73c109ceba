"""Measures Python functions: cyclomatic complexity (McCabe 1976) and length in lines.

Complexity is one plus the decisions: ``if``, ``elif``, loops, ``except``, ``case``, conditional
expressions, comprehension conditions, ``assert``, and each extra operand of ``and``/``or``.
A nested function counts for itself, not for the one around it.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from agentcore.agents.contract import Finding, Rule, Severity

__all__ = ["RULES", "Measure", "find_complexity", "measure"]

COMPLEX, VERY_COMPLEX = 10, 20
LONG, VERY_LONG = 60, 120

RULES = (
    Rule("CPX001", "complex function", f"split it until each part has at most {COMPLEX} paths"),
    Rule("CPX002", "long function", f"split it until each part has at most {LONG} lines"),
    Rule("CPX003", "Python file that does not parse", "mend the syntax"),
)
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.Assert)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_filters = threading.Lock()  # warnings.catch_warnings changes the whole process


@dataclass(frozen=True)
class Measure:
    """One function's figures; ``line`` is where it begins, decorators left out."""

    path: str
    line: int
    name: str
    complexity: int
    lines: int


def measure(path: str, text: str) -> list[Measure]:
    """Return the figures of every function of a Python file.

    Raises:
        SyntaxError: it does not parse.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file's own escapes are not our warnings
        module = ast.parse(text)
    return [
        Measure(
            path, node.lineno, name, _complexity(node), (node.end_lineno or 0) - node.lineno + 1
        )
        for name, node in _functions(module, "")
    ]


def find_complexity(
    files: Sequence[tuple[str, str]],
) -> tuple[list[Finding], list[dict[str, object]]]:
    """Return the findings, and the ten worst functions of all as figures."""
    findings: list[Finding] = []
    measures: list[Measure] = []
    for path, text in files:
        if not path.endswith(".py"):
            continue
        try:
            measures += measure(path, text)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 0) or 0
            reason = getattr(error, "msg", "") or str(error) or type(error).__name__
            findings.append(
                Finding("CPX003", Severity.MEDIUM, f"does not parse: {reason}", path, line)
            )
    for one in measures:
        if one.complexity > COMPLEX:
            severity = Severity.MEDIUM if one.complexity > VERY_COMPLEX else Severity.LOW
            message = f"{one.name} has {one.complexity} paths, more than {COMPLEX}"
            findings.append(Finding("CPX001", severity, message, one.path, one.line))
        if one.lines > LONG:
            severity = Severity.MEDIUM if one.lines > VERY_LONG else Severity.LOW
            message = f"{one.name} has {one.lines} lines, more than {LONG}"
            findings.append(Finding("CPX002", severity, message, one.path, one.line))
    worst = sorted(measures, key=lambda one: (-one.complexity, -one.lines, one.path, one.line))
    return findings, [asdict(one) for one in worst[:10]]


def _functions(
    node: ast.AST, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            yield prefix + child.name, child
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def _complexity(function: ast.AST) -> int:
    total = 1
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(node, _BRANCHES):
            total += 1
        elif isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
        elif isinstance(node, ast.match_case):
            total += not (isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None)
        waiting.extend(ast.iter_child_nodes(node))
    return total
