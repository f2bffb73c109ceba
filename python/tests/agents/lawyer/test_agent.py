"""The Lawyer agent reads a contract: every quote is verbatim, nothing is invented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from agentcore.agents.lawyer import LawyerAgent
from agentcore.agents.lawyer.agent import NOTICE
from agentcore.errors import InputError
from agentcore.ml.search import Hit, Passage
from agentcore.text import FastStringProcessor

from .conftest import CONTRACT

COMPONENT = "agent_core_utils"


def read(lawyer: LawyerAgent, **inputs: str) -> Mapping[str, Any]:
    return lawyer.run({"text": CONTRACT, "name": "msa.txt", **inputs}).data


def test_parties(lawyer: LawyerAgent) -> None:
    assert [(party["name"], party["role"]) for party in read(lawyer)["parties"]] == [
        ("Acme Widgets, Inc.", "Supplier"),
        ("Globex GmbH", "Customer"),
    ]


def test_dates(lawyer: LawyerAgent) -> None:
    assert [(one["date"], one["about"]) for one in read(lawyer)["dates"]] == [
        ("2024-01-05", "effective"),
        ("2024-02-01", "effective"),
        ("2026-01-31", "end"),
        (None, "other"),
        (None, "other"),
    ]
    notes = [one["note"] for one in read(lawyer)["dates"]]
    assert "ambiguous" in notes[3]
    assert "no such day" in notes[4]


def test_amounts(lawyer: LawyerAgent) -> None:
    got = [(one.get("currency"), one.get("amount")) for one in read(lawyer)["amounts"]]
    assert ("USD", "12500.00") in got
    assert ("USD", "1200000.0") in got
    rates = [one for one in read(lawyer)["amounts"] if "rate_percent" in one]
    assert [(one["rate_percent"], one["per"]) for one in rates] == [("1.5", "month")]


def test_clauses_and_what_is_missing(lawyer: LawyerAgent) -> None:
    data = read(lawyer)
    topics = {one["number"]: one["topic"] for one in data["clauses"]}
    assert topics["2"] == topics["2.1"] == "payment"
    assert (topics["3"], topics["4"], topics["5"]) == ("term", "termination", "confidentiality")
    assert topics["6"] == "liability"
    assert "governing_law" in data["missing"]
    assert "termination" not in data["missing"]
    # "the laws of Germany" in the preamble is no choice of law


def test_risks_have_lines_and_verbatim_evidence(lawyer: LawyerAgent) -> None:
    report = lawyer.run({"text": CONTRACT})
    found = {finding.rule: finding for finding in report.findings if finding.line}
    assert set(found) == {"LAW101", "LAW102", "LAW104"}
    for finding in found.values():
        assert finding.evidence.strip("“”") in CONTRACT
        assert finding.evidence.strip("“”").split("\n")[0] in CONTRACT.split("\n")[finding.line - 1]


def test_every_quote_is_in_the_document_at_its_offsets(lawyer: LawyerAgent) -> None:
    data = read(lawyer, question="who may end the agreement early?")
    count = 0
    for kind in ("parties", "dates", "amounts", "clauses", "answers"):
        for one in data[kind]:
            assert CONTRACT[one["start"] : one["end"]] == one["quote"]
            count += 1
    assert data["quotes"] == {"verbatim": count, "withheld": 0}
    assert data["answers"][0]["quote"].startswith("4. Termination")


def test_a_quote_that_is_not_verbatim_is_withheld(manager: Any) -> None:
    def inventing(query: str, documents: list[tuple[str, str]], limit: int) -> list[Hit]:
        invented = Passage("msa.txt", 0, 10, "The tenant")
        return [Hit(invented, 0.9), Hit(Passage("x", -3, 2, "ab"), 1)]

    agent = LawyerAgent(FastStringProcessor(manager=manager), inventing)
    data = read(agent, question="anything?")
    assert data["answers"] == []
    assert data["quotes"]["withheld"] == 2


@pytest.mark.parametrize("task", ["contract", "license", "redact"])
def test_every_reply_says_that_it_is_no_advice(lawyer: LawyerAgent, task: str) -> None:
    assert NOTICE in lawyer.run({"text": CONTRACT, "task": task}).notices


def test_redaction(lawyer: LawyerAgent) -> None:
    data = read(lawyer, task="redact")
    assert data["counts"] == {"email": 1, "phone": 1}
    assert "jane@acme.example" not in data["text"]
    assert "555 0100" not in data["text"]
    only = read(lawyer, task="redact", kinds="phone")
    assert "jane@acme.example" in only["text"]
    with pytest.raises(InputError, match=r"inputs\.kinds.*email"):
        read(lawyer, task="redact", kinds="emails")


def test_labels_that_were_there_are_not_counted(lawyer: LawyerAgent) -> None:
    report = lawyer.run({"text": "[EMAIL] a@b.example", "task": "redact"})
    assert report.data["counts"] == {"email": 1}


@pytest.mark.parametrize("text", ["", "   ", "no contract at all", "1.\n2.\n3.", "(" * 5000])
def test_odd_texts_give_empty_reports_not_errors(lawyer: LawyerAgent, text: str) -> None:
    data = lawyer.run({"text": text}).data
    assert data["parties"] == []
    assert re.match(r"\d+", str(data["quotes"]["verbatim"]))


def test_a_hostile_text_takes_no_long_time(lawyer: LawyerAgent) -> None:
    import time

    begun = time.monotonic()
    for text in ("and A" * 20_000, "between Aa Aa Aa " * 5_000, "1.1 " * 30_000, "A, " * 30_000):
        lawyer.run({"text": text})
    assert time.monotonic() - begun < 20
