"""The Developer agent: secrets, dependency problems and complexity of a source tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from agentcore.agents.contract import Report, worst_first
from agentcore.agents.developer import complexity, dependencies, secrets
from agentcore.agents.inputs import Inputs
from agentcore.text import FastStringProcessor

__all__ = ["DeveloperAgent"]


class DeveloperAgent:
    """Looks for what should not be in a source tree.

    Args:
        strings: the string processor that does the searching.
    """

    name = "developer"
    description = "finds secrets, dependency problems and complex functions in source code"
    examples: Sequence[str] = (
        "find secrets and leaked API keys in this source code",
        "check the dependencies in requirements.txt for unpinned packages",
        "which functions in this Python code are too complex",
        "review this repository for hard-coded passwords and tokens",
        "audit my code base for problems",
        "is my private key committed to git",
    )
    inputs: Mapping[str, str] = {
        "files": "list of {path, content}: the text files of the tree",
    }

    def __init__(self, strings: FastStringProcessor) -> None:
        self._strings = strings

    def run(self, inputs: Mapping[str, Any]) -> Report:
        """Look through the files; see ``inputs`` for what it takes."""
        files = Inputs(inputs, tuple(self.inputs)).files("files")
        found, waivers = secrets.find_secrets(files, self._strings)
        found += dependencies.find_dependency_problems(files)
        complex_found, hotspots = complexity.find_complexity(files)
        findings = worst_first(found + complex_found)
        counts = Counter(str(finding.severity) for finding in findings)
        listed = ", ".join(
            f"{counts[name]} {name}"
            for name in ("critical", "high", "medium", "low", "info")
            if counts[name]
        )
        lines = sum(text.count("\n") + 1 for _, text in files)
        summary = f"{len(files)} files, {lines} lines: " + (
            f"{len(findings)} findings ({listed})" if findings else "nothing found"
        )
        return Report(
            self.name,
            summary,
            {"files": len(files), "lines": lines, "counts": dict(counts), "hotspots": hotspots},
            findings,
            secrets.RULES + dependencies.RULES + complexity.RULES,
            (dependencies.NOTICE, *(f"Waiver: {waiver}" for waiver in waivers)),
        )
