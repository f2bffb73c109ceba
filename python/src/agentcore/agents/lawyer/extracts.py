"""Reads parties, dates and amounts out of a contract, each with the words it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from agentcore.agents.lawyer.quotes import Extract, quoted

__all__ = ["amounts", "dates", "parties"]

_MONTHS = (
    "january february march april may june july august september october november december".split()
)
_MONTH = "|".join([*_MONTHS, *(name[:3] for name in _MONTHS), "sept"])
_DATES = re.compile(
    rf"\b(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})\b"
    rf"|\b(?P<m1>{_MONTH})\.?\s+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y1>\d{{4}})\b"
    rf"|\b(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:day\s+of\s+)?(?P<m2>{_MONTH})\.?,?\s+(?P<y2>\d{{4}})\b"
    rf"|\b(?P<n1>\d{{1,2}})(?P<sep>[/.])(?P<n2>\d{{1,2}})(?P=sep)(?P<y3>\d{{4}})\b",
    re.IGNORECASE,
)
# The words before a date that tell what it is for, nearest first.
_DATE_KIND = re.compile(
    r"\b(?P<effective>effective|commenc\w+|entered\s+into|made|dated|as\s+of|begins?|starts?)\b"
    r"|\b(?P<end>expir\w+|terminat\w+|until|ends?|through|no\s+later\s+than)\b"
    r"|\b(?P<due>due|deliver\w*|payable|paid|by|before)\b"
    r"|\b(?P<signed>sign\w*|execut\w+)\b",
    re.IGNORECASE,
)
_SCALE = {
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "k": 10**3,
    "m": 10**6,
    "bn": 10**9,
}
_SYMBOL = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
_AMOUNTS = re.compile(
    rf"(?P<symbol>US\$|[$€£¥])\s?(?P<a1>{_NUMBER})(?:\s?(?P<s1>thousand|million|billion|bn|[km]))?\b"
    rf"|\b(?P<code>USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN|CNY|INR)\s?(?P<a2>{_NUMBER})"
    rf"(?:\s(?P<s2>thousand|million|billion))?\b"
    rf"|\b(?P<a3>{_NUMBER})\s(?:(?P<s3>thousand|million|billion)\s)?"
    rf"(?P<name>USD|EUR|GBP|CHF|JPY|dollars|euros?|pounds(?:\s+sterling)?|francs)\b",
    re.IGNORECASE,
)
_NAMES = {"dollars": "USD", "euro": "EUR", "euros": "EUR", "pounds": "GBP", "francs": "CHF"}
_RATES = re.compile(
    r"(?<![\d.,])(?P<rate>\d{1,3}(?:\.\d{1,4})?)\s?(?:%|percent\b|per\s?cent\b)"
    r"(?:\s+(?:per|a|each)\s+(?P<period>month|year|annum|day|week|quarter))?",
    re.IGNORECASE,
)

# Case matters in names: the flag covers the rest of the pattern alone.
_WORD = r"[A-Z0-9][\w.'’&-]*"
_NAME = rf"{_WORD}(?:(?:,?\s+(?:and\s+|of\s+|the\s+|&\s+|de\s+)?|,\s*){_WORD}){{0,7}}"
_ROLE = (
    r"\(\s*(?:the\s+|each,?\s+an?\s+|hereinafter,?\s*(?:referred\s+to\s+as\s+)?(?:the\s+)?"
    r"|collectively,?\s+(?:the\s+)?)*"
    r"[\"“](?:the\s+)?(?P<role>[A-Z][\w -]{1,30})[\"”][^)]{0,60}\)"
)
_PARTY = re.compile(
    rf"(?:\b(?:[Bb]etween|BETWEEN|[Aa]mong|and|AND|[Bb]y)\b|\([a-z0-9]\)|^|;|:)\s*,?\s*(?:\(\d\)\s*)?"
    rf"(?P<name>{_NAME}?)(?P<about>,?\s+(?:a|an|of|with|having|whose|located|residing|incorporated|"
    rf"registered)\b[^\"“”;]{{0,260}}?|\s*,\s*|\s*)\s*{_ROLE}",
    re.MULTILINE,
)
_PLAIN = re.compile(
    rf"\b(?:between|among)\s+(?P<one>{_NAME})\s+and\s+(?P<two>{_NAME})(?=[\s,.;(])", re.MULTILINE
)
_NO_PARTY = frozenset(
    "agreement effective date services term contract fees confidential information affiliate "
    "parties party product products software work purpose schedule".split()
)


def parties(document: str) -> list[Extract]:
    """Return the parties named in the opening of a contract, with the role each is given."""
    opening = document[:6000]
    found: dict[str, Extract] = {}
    for match in _PARTY.finditer(opening):
        name, role = _tidy(match["name"]), match["role"].strip()
        if set(role.lower().split()) & _NO_PARTY or name.lower().startswith(("this ", "the ")):
            continue
        if role not in (str(extract.values["role"]) for extract in found.values()):
            found.setdefault(
                name,
                quoted("party", document, match.start("name"), match.end(), name=name, role=role),
            )
    if not found:
        for match in _PLAIN.finditer(opening):
            for group in ("one", "two"):
                name = _tidy(match[group])
                start, end = match.span(group)
                found.setdefault(name, quoted("party", document, start, end, name=name, role=""))
            break
    return list(found.values())


def dates(document: str) -> Iterator[Extract]:
    """Yield the dates; ``date`` is ISO 8601, or None when the words do not settle it."""
    for match in _DATES.finditer(document):
        value, note = _date(match)
        before = document[max(0, match.start() - 60) : match.start()]
        kinds = list(_DATE_KIND.finditer(re.split(r"[.;]\s", before)[-1]))
        kind = kinds[-1].lastgroup if kinds else "other"
        yield quoted("date", document, *match.span(), date=value, about=kind, note=note)


def amounts(document: str) -> Iterator[Extract]:
    """Yield amounts of money (``amount`` as a decimal string, ``currency``) and rates."""
    for match in _AMOUNTS.finditer(document):
        number = match["a1"] or match["a2"] or match["a3"]
        scale = (match["s1"] or match["s2"] or match["s3"] or "").lower()
        name = (match["name"] or "").lower().split()
        currency = (
            _SYMBOL[match["symbol"].upper()]
            if match["symbol"]
            else (match["code"] or _NAMES.get(name[0], name[0])).upper()
        )
        value = Decimal(number.replace(",", "")) * _SCALE.get(scale, 1)
        yield quoted("amount", document, *match.span(), amount=f"{value:f}", currency=currency)
    for match in _RATES.finditer(document):
        period = (match["period"] or "").lower().replace("annum", "year")
        yield quoted("amount", document, *match.span(), rate_percent=match["rate"], per=period)


def _tidy(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip(" ,")


def _date(match: re.Match[str]) -> tuple[str | None, str]:
    if match["n1"]:
        first, second, year = int(match["n1"]), int(match["n2"]), int(match["y3"])
        if match["sep"] == ".":  # written so in Europe: the day comes first
            return _iso(year, second, first)
        if first <= 12 and second <= 12 and first != second:
            return None, "ambiguous: the day or the month may come first"
        month, day = (first, second) if first <= 12 else (second, first)
        return _iso(year, month, day)
    if match["iso"]:
        return _iso(*map(int, match["iso"].split("-")))
    name = (match["m1"] or match["m2"]).lower()[:3]
    month = [full[:3] for full in _MONTHS].index(name) + 1
    return _iso(int(match["y1"] or match["y2"]), month, int(match["d1"] or match["d2"]))


def _iso(year: int, month: int, day: int) -> tuple[str | None, str]:
    try:
        return date(year, month, day).isoformat(), ""
    except ValueError:
        return None, "there is no such day"
