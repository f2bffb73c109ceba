"""The Lawyer agent: reads a contract, names a license, or redacts a text. Not legal advice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from agentcore.agents.contract import Finding, Report, Severity, worst_first
from agentcore.agents.inputs import Inputs
from agentcore.agents.lawyer import licenses
from agentcore.agents.lawyer.clauses import Clause, segment
from agentcore.agents.lawyer.extracts import amounts, dates, parties
from agentcore.agents.lawyer.quotes import Extract, Gate, quoted
from agentcore.agents.lawyer.topics import MISSING, RISKS, RULES, TOPICS
from agentcore.errors import InputError
from agentcore.text import KINDS, FastStringProcessor, Kind

if TYPE_CHECKING:
    from agentcore.ml.search import Hit

__all__ = ["NOTICE", "LawyerAgent"]

NOTICE = "This is not legal advice."
TASKS = ("contract", "license", "redact")
Searcher = Callable[[str, list[tuple[str, str]], int], "list[Hit]"]


class LawyerAgent:
    """Extracts with verbatim quotes; never paraphrases a contract.

    Args:
        strings: the string processor that redacts.
        search: finds the passages that answer a question: (question, documents, limit) to hits.
    """

    name = "lawyer"
    description = (
        "reads contracts (parties, dates, amounts, clauses), names licenses, redacts texts"
    )
    examples: Sequence[str] = (
        "who are the parties to this contract and when does it end",
        "which clauses are missing from this agreement",
        "summarize the obligations, liability and termination terms of the contract",
        "which open source license is this text",
        "redact names, e-mail addresses and account numbers from this document",
        "is there a governing law or arbitration clause",
    )
    inputs: Mapping[str, str] = {
        "text": "the contract, license or text",
        "task": "contract (default), license or redact",
        "name": "what to call the document (default document.txt)",
        "question": "contract: a question to answer with citations",
        "kinds": "redact: comma-separated kinds (default: all)",
    }

    def __init__(self, strings: FastStringProcessor, search: Searcher) -> None:
        self._strings = strings
        self._search = search

    def run(self, inputs: Mapping[str, Any]) -> Report:
        """Read, identify or redact; see ``inputs`` for what it takes."""
        given = Inputs(inputs, tuple(self.inputs))
        text = given.text("text")
        task = given.choice("task", TASKS, "contract")
        name = given.text("name", "document.txt", limit=200)
        if task == "license":
            return self._license(text)
        if task == "redact":
            kinds = [kind.strip() for kind in given.text("kinds", "").split(",") if kind.strip()]
            return self._redact(text, kinds)
        return self._contract(text, name, given.text("question", "", limit=2000))

    def _contract(self, text: str, name: str, question: str) -> Report:
        gate = Gate(text)
        clauses = segment(text)
        data: dict[str, Any] = {
            "task": "contract",
            "parties": gate.let_through(parties(text)),
            "dates": gate.let_through(dates(text)),
            "amounts": gate.let_through(amounts(text)),
            "clauses": gate.let_through(_as_extract(text, clause) for clause in clauses),
        }
        if question:
            hits = self._search(question, [(name, text)], 3)
            answers = [
                Extract("answer", hit.passage.text, hit.passage.start, hit.passage.end,
                        {"score": hit.score})
                for hit in hits
            ]  # fmt: skip
            data["question"] = question
            data["answers"] = gate.let_through(answers)
        missing = _missing(text, clauses)
        findings = [
            Finding(
                MISSING[topic].id,
                TOPICS[topic].expected or Severity.LOW,
                f"{MISSING[topic].title}: {TOPICS[topic].why}",
                name,
            )
            for topic in missing
        ]
        findings += _risks(text, name)
        data["missing"] = missing
        data["quotes"] = {"verbatim": gate.passed, "withheld": gate.withheld}
        named = " and ".join(party["name"] for party in data["parties"][:4]) or "no named party"
        summary = (
            f"{named}: {len(data['clauses'])} clauses, {len(data['dates'])} dates, "
            f"{len(data['amounts'])} amounts; missing: "
            + (", ".join(TOPICS[topic].title.lower() for topic in missing) or "nothing expected")
        )
        return Report(self.name, summary, data, worst_first(findings), RULES, (NOTICE,))

    def _license(self, text: str) -> Report:
        found = licenses.identify(text)
        summary = {
            "same": f"{found['license']}: the license's own text, word for word",
            "near": f"{found['license']}: {found['score']:.1%} of its words; compare the rest",
            "modified": f"like {found['license']} ({found['score']:.1%}), but changed",
            "declared": f"declared as {found['license']}; the license's text is not there",
            "unknown": "no license of the SPDX list recognized",
        }[found["verdict"]]
        return Report(self.name, summary, {"task": "license"} | found, notices=(NOTICE,))

    def _redact(self, text: str, kinds: list[str]) -> Report:
        for kind in kinds:
            if kind not in KINDS:
                raise InputError(f"got {kind!r}", "inputs.kinds", "some of " + ", ".join(KINDS))
        redacted = self._strings.redact(text, kinds=cast(list[Kind], kinds) or None)
        labels = re.findall(r"\[[A-Z0-9]+\]", redacted)
        already = re.findall(r"\[[A-Z0-9]+\]", text)
        counts = {
            label.strip("[]").lower(): labels.count(label) - already.count(label)
            for label in sorted(set(labels))
            if labels.count(label) > already.count(label)
        }
        total = sum(counts.values())
        data = {"task": "redact", "text": redacted, "counts": counts}
        notices = (NOTICE, "Names of people and places are not recognized: read it before use.")
        return Report(self.name, f"{total} passages redacted", data, notices=notices)


def _as_extract(text: str, clause: Clause) -> Extract:
    return quoted(
        "clause", text, clause.start, clause.end,
        number=clause.number, heading=clause.heading, topic=clause.topic, basis=clause.basis,
    )  # fmt: skip


def _missing(text: str, clauses: list[Clause]) -> list[str]:
    present = {clause.topic for clause in clauses}
    return [
        name
        for name, topic in TOPICS.items()
        if topic.expected is not None and name not in present and not topic.body.search(text)
    ]


def _risks(text: str, name: str) -> list[Finding]:
    found = []
    for risk in RISKS:
        for match in risk.pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            quote = text[match.start() : match.end()]
            found.append(
                Finding(risk.rule.id, risk.severity, risk.rule.title, name, line, f"“{quote}”")
            )
    return found
