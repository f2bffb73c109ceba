"""What an agent is, and the report that each one hands back.

A report is facts first: findings with a rule, a place and evidence; figures in ``data``; and
notices that must stay with it whoever prints it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

__all__ = ["Agent", "Finding", "Report", "Rule", "Severity"]


class Severity(StrEnum):
    """How much a finding matters, lowest first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position in the order, 0 for ``info``."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Rule:
    """One thing that an agent looks for.

    Attributes:
        id: short and stable, for example ``SEC001``.
        title: what is looked for, in a few words.
        fix: what to do when it is found.
    """

    id: str
    title: str
    fix: str


@dataclass(frozen=True)
class Finding:
    """One fact with its place.

    Attributes:
        rule: the id of the rule.
        severity: how much it matters.
        message: what was found, complete without the other fields.
        path: the file or document, relative to what was given.
        line: 1-based; 0 when the finding is about the whole file.
        evidence: what shows it; never a usable secret.
    """

    rule: str
    severity: Severity
    message: str
    path: str
    line: int = 0
    evidence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON data."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "evidence": self.evidence,
        }


@dataclass(frozen=True)
class Report:
    """What a run hands back.

    Attributes:
        agent: the agent's name.
        summary: the result in one sentence.
        data: the figures and extracts, as JSON data.
        findings: what was found, worst first.
        rules: the rules that the findings name.
        notices: limits and warnings that belong to the result.
    """

    agent: str
    summary: str
    data: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    rules: Sequence[Rule] = ()
    notices: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "agent": self.agent,
            "summary": self.summary,
            "findings": [finding.to_dict() for finding in self.findings],
            "data": dict(self.data),
            "notices": list(self.notices),
        }


class Agent(Protocol):
    """What the core asks of an agent."""

    name: str
    description: str
    examples: Sequence[str]
    """Prompts that this agent should get; the router learns from them alone."""
    inputs: Mapping[str, str]
    """Name of each input and what it means, for ``GET /v1/agents``."""

    def run(self, inputs: Mapping[str, Any]) -> Report:
        """Do the work.

        Raises:
            InputError: an input is missing, unknown or unacceptable.
        """


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings by severity, then by place."""
    return sorted(findings, key=lambda f: (-f.severity.rank, f.path, f.line, f.rule))
