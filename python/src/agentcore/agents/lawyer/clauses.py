"""Cuts a contract into its numbered clauses and tells what each is about.

A clause begins at a line with a number ("1.", "2.3", "Article IV", "Section 5") or with a short
heading in capitals, and runs to the next. Its topic comes from the heading if that says it, else
from the words of its body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentcore.agents.lawyer.topics import TOPICS

__all__ = ["Clause", "segment"]

_START = re.compile(
    r"^[ \t]*(?:"
    r"(?P<word>(?:article|section|clause|§)\s*(?:\d+(?:\.\d+)*|[IVXLC]+)\b)[.:)]?"
    r"|(?P<number>\d{1,3}(?:\.\d{1,3}){0,3})(?:[.)]|(?=[ \t]+[A-Z\"“]))"
    r"|(?P<roman>[IVXLC]{1,6})\."
    r"|(?P<capitals>(?=[A-Z][A-Z ,&/'-]{5,60}[ \t]*$))"
    r")[ \t]*(?P<rest>[^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_HEADING = re.compile(r"^(?P<heading>[A-Z][\w ,;&/'’()-]{2,70}?)(?:[.:](?:\s|$)|\s+[-–—]\s|$)")


@dataclass(frozen=True)
class Clause:
    """One clause: ``document[start:end]``, heading and number included.

    Attributes:
        number: as written, "2.3" or "Article IV"; empty for a bare heading.
        heading: its heading; may be empty.
        topic: key of ``TOPICS``, or empty when none fits.
        basis: "heading" or "words": what the topic rests on; empty without one.
        start: offset of its first character.
        end: offset after its last character.
    """

    number: str
    heading: str
    topic: str
    basis: str
    start: int
    end: int


def segment(document: str) -> list[Clause]:
    """Return the clauses of a document in order; none if it is not numbered or headed."""
    starts = [match for match in _START.finditer(document) if _is_start(match)]
    clauses = []
    for match, after in zip(starts, [*starts, None][1:], strict=True):
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        end = after.start() if after else len(document)
        end = start + len(document[start:end].rstrip())
        number = match["word"] or match["number"] or match["roman"] or ""
        heading_match = _HEADING.match(match["rest"].strip())
        heading = heading_match["heading"].strip() if heading_match else ""
        titled = not number  # of a title, the words below it are a preamble, not its subject
        topic, basis = _topic(heading, "" if titled else document[match.start("rest") : end])
        clauses.append(Clause(number, heading, topic, basis, start, end))
    return clauses


def _is_start(match: re.Match[str]) -> bool:
    rest = match["rest"].strip()
    if match["roman"] is not None:
        return match["roman"].isupper() and bool(rest)
    if match["capitals"] is not None:
        return rest.isupper()
    if match["number"] is not None and "." not in match["number"] and not rest:
        return False  # a bare number on a line is a page number
    return not (match["word"] is not None and rest[:1].islower())  # "Section 4 applies to …"


def _topic(heading: str, body: str) -> tuple[str, str]:
    for name, topic in TOPICS.items():
        if heading and topic.heading.search(heading):
            return name, "heading"
    best, most = "", 0
    for name, topic in TOPICS.items():
        hits = sum(1 for _ in topic.body.finditer(body[:5000]))
        if hits > most:
            best, most = name, hits
    return (best, "words") if best else ("", "")
