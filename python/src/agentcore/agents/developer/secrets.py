"""Finds keys and tokens that were left in source code.

A rule has a literal that must be there (found for all rules in one pass), a pattern, and where
the token carries a checksum or a structure, a check of it. Evidence is masked: a report must
not spread what it reports. ``agentcore: allow SEC001`` on the line is a waiver; it is listed.
To add a rule, append to ``SECRET_RULES``.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agentcore.agents.contract import Finding, Rule, Severity
from agentcore.text import FastStringProcessor

__all__ = ["RULES", "entropy", "find_secrets"]

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROTATE = "revoke it, put a new one into a secret store, and remove it from the history"
_WAIVER = re.compile(r"agentcore: allow ([A-Z]{3}\d{3})\b")
_PLACEHOLDER = re.compile(
    r"example|changeme|change[-_]me|placeholder|your[-_]|dummy|sample|redacted|xxxx|\*\*\*\*|"
    r"^[<{$%]|\$\{|\{\{|^(.)\1+$|^(?:test|password|secret|none|null|todo)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SecretRule:
    """What one kind of secret looks like.

    Attributes:
        rule: id, title and fix.
        severity: of a match that passes the check.
        literals: at least one of them is in every match; compared without case.
        pattern: the match; group ``secret`` if it is not the whole.
        check: says of the secret "ok", why it is doubtful, or None if it is no secret.
    """

    rule: Rule
    severity: Severity
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    check: Callable[[str], str | None] = lambda _: "ok"


def entropy(text: str) -> float:
    """Return the Shannon entropy of the characters, in bits per character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def crc_checksum(secret: str) -> str | None:
    """Check the CRC-32 in base 62 that ends the tokens of GitHub and npm (since 2021)."""
    body, checksum = secret.partition("_")[2][:-6], secret[-6:]
    value, digits = zlib.crc32(body.encode("ascii")), ""
    while value:
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return "ok" if digits.rjust(6, "0") == checksum else "its checksum is wrong: not a live token"


def jwt_structure(secret: str) -> str | None:
    """Accept a JSON web token whose first two parts are JSON objects."""
    try:
        for part in secret.split(".")[:2]:
            padded = part + "=" * (-len(part) % 4)
            if not isinstance(json.loads(base64.urlsafe_b64decode(padded)), dict):
                return None
    except (ValueError, binascii.Error):
        return None
    return "ok"


def assigned(secret: str) -> str | None:
    """Accept an assigned value that looks random: long, mixed, no placeholder."""
    if _PLACEHOLDER.search(secret) or entropy(secret) < 3.3:
        return None
    kinds = sum(bool(re.search(kind, secret)) for kind in ("[a-z]", "[A-Z]", "[0-9]", r"[^\w]"))
    return "ok" if kinds >= 2 and re.search(r"[0-9]", secret) else None


def _aws(secret: str) -> str | None:
    return "a documented example key" if secret.endswith("EXAMPLE") else "ok"


def _url_password(secret: str) -> str | None:
    return None if _PLACEHOLDER.search(secret) else "ok"


def _rule(
    number: int,
    title: str,
    severity: Severity,
    literals: str,
    pattern: str,
    check: Callable[[str], str | None] = lambda _: "ok",
) -> SecretRule:
    rule = Rule(f"SEC{number:03}", title, _ROTATE)
    return SecretRule(rule, severity, tuple(literals.split()), re.compile(pattern), check)


_C, _H, _M = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
SECRET_RULES: tuple[SecretRule, ...] = (
    _rule(1, "private key", _C, "-----begin", r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----"),
    _rule(2, "AWS access key id", _H, "akia asia", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", _aws),
    _rule(3, "GitHub token", _C, "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[0-9A-Za-z]{36}\b",
          crc_checksum),
    _rule(4, "GitHub fine-grained token", _C, "github_pat_", r"\bgithub_pat_[0-9A-Za-z_]{82}\b"),
    _rule(5, "npm token", _C, "npm_", r"\bnpm_[0-9A-Za-z]{36}\b", crc_checksum),
    _rule(6, "PyPI token", _C, "pypi-ageichlwa", r"\bpypi-AgEIcHlwaS5[\w-]{60,200}"),
    _rule(7, "GitLab token", _C, "glpat-", r"\bglpat-[\w-]{20,}"),
    _rule(8, "Slack token", _H, "xoxb- xoxp- xoxa- xoxr- xoxs-",
          r"\bxox[abprs]-[0-9]{8,14}-[0-9A-Za-z-]{16,}"),
    _rule(9, "Stripe live key", _C, "k_live_", r"\b[sr]k_live_[0-9A-Za-z]{20,}\b"),
    _rule(10, "Google API key", _H, "aiza", r"\bAIza[\w-]{35}(?![\w-])"),
    _rule(11, "JSON web token", _M, "eyj",
          r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}", jwt_structure),
    _rule(12, "password in a URL", _H, "://", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{1,80}:"
          r"(?P<secret>[^\s:/@'\"]{3,120})@[\w.-]", _url_password),
    _rule(13, "secret assigned to a name", _M, "passw secret token api_key apikey api-key "
          "access_key private_key credential",
          r"(?i)[\w.-]{0,40}(?:passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|private_key|"
          r"credential)[\w.-]{0,40}[\"']?\s{0,3}[:=]{1,2}\s{0,3}[\"'](?P<secret>[^\"'\s]{12,200})"
          r"[\"']", assigned),
)  # fmt: skip
RULES: tuple[Rule, ...] = tuple(secret.rule for secret in SECRET_RULES)
_LITERALS: tuple[tuple[str, SecretRule], ...] = tuple(
    (literal, secret) for secret in SECRET_RULES for literal in secret.literals
)


def find_secrets(
    files: Sequence[tuple[str, str]], strings: FastStringProcessor
) -> tuple[list[Finding], list[str]]:
    """Return the findings in ``files``, and the waivers that were obeyed.

    Args:
        files: (path, content) pairs.
        strings: finds the literals of all rules in all files in one pass.
    """
    findings: list[Finding] = []
    waivers: list[str] = []
    for (path, _), lines in zip(files, _candidates(files, strings), strict=True):
        for number, line, rules in lines:
            waived = set(_WAIVER.findall(line))
            taken: list[tuple[int, int]] = []
            for secret in rules:
                for finding, span in _match(secret, path, number, line):
                    if any(start < span[1] and span[0] < end for start, end in taken):
                        continue  # a more exact rule has it
                    taken.append(span)
                    if secret.rule.id in waived:
                        waivers.append(f"{path}:{number}: {secret.rule.id} waived on the line")
                    else:
                        findings.append(finding)
    return findings, waivers


def _candidates(
    files: Sequence[tuple[str, str]], strings: FastStringProcessor
) -> Iterator[list[tuple[int, str, list[SecretRule]]]]:
    """Yield, per file, the lines with a literal of a rule, and those rules in order."""
    matcher = strings.finder(
        [literal for literal, _ in _LITERALS], kind="overlapping", ignore_case=True
    )
    for (_, text), hits in zip(files, matcher.find_many([text for _, text in files]), strict=True):
        lines: dict[int, list[SecretRule]] = {}
        number, counted = 1, 0
        for index, start, _ in hits:
            number += text.count("\n", counted, start)
            counted = start
            rules = lines.setdefault(number, [])
            if _LITERALS[index][1] not in rules:
                rules.append(_LITERALS[index][1])
        split = text.split("\n")
        yield [
            (number, split[number - 1], sorted(rules, key=SECRET_RULES.index))
            for number, rules in sorted(lines.items())
        ]


def _match(
    secret: SecretRule, path: str, number: int, line: str
) -> Iterator[tuple[Finding, tuple[int, int]]]:
    for match in secret.pattern.finditer(line[:20_000]):
        group = "secret" if "secret" in secret.pattern.groupindex else 0
        value = match[group]
        verdict = secret.check(value)
        if verdict is None:
            continue
        severity = secret.severity if verdict == "ok" else Severity.INFO
        note = "" if verdict == "ok" else f" ({verdict})"
        message = f"{secret.rule.title}{note}"
        yield (
            Finding(secret.rule.id, severity, message, path, number, mask(value)),
            match.span(group),
        )


def mask(value: str) -> str:
    """Return enough of a secret to recognize it, and too little to use it."""
    if value.startswith("-----"):
        return value
    shown = min(4, len(value) // 4)
    return f"{value[:shown]}… ({len(value)} characters)"
