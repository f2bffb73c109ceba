"""What a contract's clauses are about, what is expected in a contract, and what is risky in one.

To add a topic or a risk, add an entry: the words of headings, the words of bodies, and why it
matters. Patterns are matched without case and across line ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentcore.agents.contract import Rule, Severity

__all__ = ["RISKS", "RULES", "TOPICS", "Risk", "Topic"]


@dataclass(frozen=True)
class Topic:
    """A subject of clauses.

    Attributes:
        title: its usual name.
        heading: found in headings of it.
        body: found in bodies of it.
        expected: how much it matters when a contract has none; None: not expected.
        why: what its absence leaves open.
    """

    title: str
    heading: re.Pattern[str]
    body: re.Pattern[str]
    expected: Severity | None = None
    why: str = ""


@dataclass(frozen=True)
class Risk:
    """Words that shift risk, wherever they stand."""

    rule: Rule
    severity: Severity
    pattern: re.Pattern[str]


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})".replace(" ", r"\s+"), re.IGNORECASE)


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW
TOPICS: dict[str, Topic] = {
    "definitions": Topic("Definitions", _any("definition|interpretation"),
        _any("shall have the (?:following )?meanings?|as used in this agreement")),
    "confidentiality": Topic("Confidentiality", _any("confidential|non-?disclosure|secrecy"),
        _any("confidential information|non-public information|keep confidential|not disclose"),
        _M, "whether either side must keep the other's information secret"),
    "liability": Topic("Limitation of liability",
        _any("limitations? (?:of|on) (?:\\w+ )?liabilit|liability|exclusion of damages"),
        _any("aggregate liability|total liability|shall not be liable|not exceed the (?:total )?(?:fees|amount)|"
             "consequential damages|liability (?:\\w+ ){0,6}(?:limited|unlimited)"),
        _H, "how much a party may have to pay; without a cap it is unlimited"),
    "indemnity": Topic("Indemnification", _any("indemni"),
        _any("indemnif(?:y|ies)|hold harmless|defend and indemnify")),
    "warranty": Topic("Warranties", _any("warrant|representations"),
        _any("represents and warrants|warrants that|as is|merchantability|fitness for a particular"),
        _L, "what is promised about the goods or services"),
    "termination": Topic("Termination", _any("terminat|cancellation"),
        _any("may terminate|terminate this agreement|upon termination|material breach"),
        _H, "how the parties can end it"),
    "term": Topic("Term and renewal", _any("terms?(?! of| and conditions)|duration|renewal"),
        _any("initial term|shall commence|remains? in (?:full )?(?:force|effect)|renewal term|automatically renew"), _M, "when it begins and how long it lasts"),
    "payment": Topic("Payment", _any("payment|fees?\\b|price|pricing|compensation|consideration|invoic"),
        _any("shall pay|invoice|net \\d+|payment (?:is )?due|late (?:fee|payment)"),
        _M, "what is owed and when"),
    "governing_law": Topic("Governing law", _any("governing law|applicable law|choice of law"),
        _any("governed by(?: and construed)?|construed in accordance with"), _H, "whose law decides"),
    "disputes": Topic("Dispute resolution", _any("dispute|arbitration|jurisdiction|venue"),
        _any("arbitrat|exclusive jurisdiction|courts? of|mediation"), _M, "where a dispute is decided"),
    "intellectual_property": Topic("Intellectual property",
        _any("intellectual property|ownership|proprietary rights|licen[cs]e|work product"),
        _any("intellectual property|work product|copyright|patent|hereby (?:grants|assigns)"),
        _M, "who owns what is made"),
    "data_protection": Topic("Data protection", _any("data (?:protection|privacy|security)|privacy|gdpr"),
        _any("personal data|data protection law|gdpr|data subject"), _M,
        "how personal data is treated"),
    "assignment": Topic("Assignment", _any("assignment|assignability"),
        _any("may (?:not )?assign|assign this agreement|successors and (?:permitted )?assigns"), _L,
        "whether it can be handed to someone else"),
    "force_majeure": Topic("Force majeure", _any("force majeure|acts? of god"),
        _any("force majeure|beyond (?:its|the|their) reasonable control|acts? of god"), _L,
        "who bears events nobody controls"),
    "notices": Topic("Notices", _any("notices?\\b"),
        _any("notices? (?:\\w+ ){0,6}in writing|written notice shall"), _L,
        "how a formal message must be sent"),
    "entire_agreement": Topic("Entire agreement", _any("entire agreement|integration|merger"),
        _any("entire (?:agreement|understanding)|supersedes?"), _L, "whether older promises still count"),
    "amendment": Topic("Amendment", _any("amendment|modification|variation|changes?\\b"),
        _any("amended|modified only|no (?:amendment|modification)"), _L, "how it can be changed"),
    "severability": Topic("Severability", _any("severab"),
        _any("severab|invalid or unenforceable|held (?:to be )?(?:invalid|unenforceable)"), _L,
        "what holds when a part is void"),
    "insurance": Topic("Insurance", _any("insurance"), _any("maintain (?:\\w+ ){0,4}insurance|policies of insurance")),
    "non_compete": Topic("Non-compete", _any("non-?compet|non-?solicit|exclusivity"),
        _any("shall not compete|not solicit|compete with")),
}  # fmt: skip

_RISKS: tuple[tuple[str, str, str, Severity, str], ...] = (
    ("LAW101", "unlimited liability", "agree a cap", _H,
     "liable? without limit(?:ation)?|unlimited liability|liability (?:\\w+ ){0,4}(?:is|shall be) unlimited"),
    ("LAW102", "renews by itself", "note the date by which notice must be given", _M,
     "automatically renew|renew(?:s|ed)? automatically|auto-renew|successive (?:\\w+ ){0,3}terms? unless"),
    ("LAW103", "one side may change the terms alone", "ask for consent or a right to leave", _H,
     "(?:may|reserves the right to) (?:amend|modify|change|vary) (?:this agreement|these terms|the terms)(?! (?:only|solely|by))|changes? (?:\\w+ ){0,4}in its sole discretion"),
    ("LAW104", "may end it without a reason", "check the notice period and what is owed then", _M,
     "terminate (?:\\w+ ){0,8}(?:for convenience|without cause|for any reason|at any time)"),
    ("LAW105", "broad indemnity", "limit it to third-party claims and to fault", _M,
     "indemnify (?:[\\w,]+ ){0,20}(?:any and all|all) (?:claims|losses|liabilities|damages)"),
    ("LAW106", "cannot be undone or withdrawn", "limit it in time or purpose", _M,
     "(?:irrevocable|perpetual)(?:,| and)? (?:\\w+,? ){0,4}licen[cs]e"),
    ("LAW107", "penalty or liquidated damages", "check that the sum is a fair estimate", _M,
     "liquidated damages|penalty of|pay a penalty"),
    ("LAW108", "gives up a jury or a class action", "know what is given up", _L,
     "waives? (?:\\w+ ){0,8}(?:jury trial|trial by jury|class action)"),
)  # fmt: skip
RISKS = tuple(
    Risk(Rule(key, title, fix), severity, _any(words))
    for key, title, fix, severity, words in _RISKS
)
MISSING = {
    name: Rule(f"LAW{number:03}", f"no clause on {topic.title.lower()}", f"settle {topic.why}")
    for number, (name, topic) in enumerate(
        ((name, topic) for name, topic in TOPICS.items() if topic.expected), 1
    )
}
RULES = (*MISSING.values(), *(risk.rule for risk in RISKS))
