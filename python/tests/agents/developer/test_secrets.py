"""Secrets are found by structure and checksum, masked in evidence, and the innocent let alone.

Token-like values are put together at run time, so that no scanner finds one in this file.
"""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from agentcore.agents.contract import Finding, Severity
from agentcore.agents.developer import secrets
from agentcore.integration import RustIntegrationManager
from agentcore.text import FastStringProcessor

COMPONENT = "agent_core_utils"


@pytest.fixture
def strings(manager: RustIntegrationManager) -> FastStringProcessor:
    return FastStringProcessor(manager=manager)


def find(strings: FastStringProcessor, text: str) -> list[Finding]:
    return secrets.find_secrets([("f.py", text)], strings)[0]


def github(body: str, checksum: str | None = None) -> str:
    value, digits = zlib.crc32(body.encode()), ""
    while value:
        value, digit = divmod(value, 62)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "ghp" + "_" + body + (checksum or digits.rjust(6, "0"))


def jwt() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part({'sub': '1234567890'})}.c2lnbmF0dXJlMTIz"


AWS = "AKIA" + "QWERTYUIOPASDFGH"
POSITIVE = [
    ("SEC001", "-----BEGIN RSA " + "PRIVATE KEY-----"),
    ("SEC001", "-----BEGIN " + "PRIVATE KEY-----"),
    ("SEC002", f"aws = '{AWS}'"),
    ("SEC003", github("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")),
    ("SEC004", "github" + "_pat_" + "a1B2" * 20 + "zz"),
    ("SEC007", "glpat" + "-" + "abcDEF123456_-xyz789"),
    ("SEC008", "xoxb" + "-123456789012-" + "AbCdEfGhIjKlMnOpQrSt"),
    ("SEC009", "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
    ("SEC010", "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"[:35]),
    ("SEC011", f"Bearer {jwt()}"),
    ("SEC012", "postgres://app:" + "s3cr3tPw@db.internal/app"),
    ("SEC013", 'API_KEY = "' + "f3Zq9Lk2Vb7Xw1Tn" + '"'),
    ("SEC013", '"client_secret": "' + "9f8e7d6c5b4a39281706" + '",'),
]


@pytest.mark.parametrize(("rule", "text"), POSITIVE)
def test_each_kind_is_found_at_its_line_and_masked(
    strings: FastStringProcessor, rule: str, text: str
) -> None:
    found = find(strings, f"first\n\n  {text}\nlast")
    assert [(f.rule, f.line) for f in found] == [(rule, 3)]
    assert found[0].severity.rank >= Severity.MEDIUM.rank
    for word in text.replace('"', " ").split():
        if len(word) > 20 and not word.startswith("-----"):
            assert word not in found[0].evidence


def test_githubs_checksum_is_the_published_one() -> None:
    assert secrets.crc_checksum("ghp" + "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17") == "ok"


def test_a_token_with_a_wrong_checksum_is_only_noted(strings: FastStringProcessor) -> None:
    (found,) = find(strings, github("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq18"))
    assert found.severity is Severity.INFO
    assert "checksum" in found.message


def test_the_documented_example_key_is_detected_as_such(strings: FastStringProcessor) -> None:
    (found,) = find(strings, "AKIA" + "IOSFODNN7EXAMPLE")
    assert found.severity is Severity.INFO
    assert "example" in found.message


@pytest.mark.parametrize(
    "text",
    [
        'password = "changeme-please"',
        'password = "${DB_PASSWORD_FROM_ENV}"',
        'token = "your-token-goes-here1"',
        'secret = "aaaaaaaaaaaaaaaa"',
        'token_url = "https://login.example.org/oauth"',
        "postgres://app:${PASSWORD}@db/app",
        "https://example.org/path",
        "-----BEGIN PUBLIC KEY-----",
        "ghp_short",
        "eyJub3Q.eyJhX2p3dCJ9.abcdefgh",
        "passwords are hashed with argon2",
    ],
)
def test_the_innocent_are_let_alone(strings: FastStringProcessor, text: str) -> None:
    assert find(strings, text) == []


def test_a_waiver_on_the_line_is_obeyed_and_listed(strings: FastStringProcessor) -> None:
    text = f"x = '{AWS}'  # agentcore: allow SEC002\ny = '{AWS}'  # agentcore: allow SEC001\n"
    found, waivers = secrets.find_secrets([("f.py", text)], strings)
    assert [f.line for f in found] == [2]
    assert waivers == ["f.py:1: SEC002 waived on the line"]


def test_several_on_one_line_and_beyond_ascii(strings: FastStringProcessor) -> None:
    found = find(strings, f"é\n日本 {AWS} und {AWS[:-1]}Z\n")
    assert [(f.rule, f.line) for f in found] == [("SEC002", 2), ("SEC002", 2)]


def test_entropy() -> None:
    assert secrets.entropy("aaaa") == 0
    assert secrets.entropy("abcd") == 2
