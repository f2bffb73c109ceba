"""The interface is a promise: it changes only where the record and the changelog say so."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from tools import public_api

HERE = Path(__file__).parent
RECORD = HERE / "public_api.txt"
CHANGELOG = HERE.parent.parent / "CHANGELOG.md"


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="signatures print as Python 3.11 does")
def test_the_interface_is_the_recorded_one() -> None:
    recorded, present = RECORD.read_text().splitlines(), public_api.lines()
    assert [line for line in present if line not in recorded] == [], "new: record them"
    assert [line for line in recorded if line not in present] == [], "gone: a promise is broken"
    assert recorded == present


def test_the_changelog_names_the_recorded_interface() -> None:
    if not CHANGELOG.exists():
        pytest.skip("the changelog is not in a copy of this folder alone")
    digest = hashlib.sha256(RECORD.read_text().rstrip("\n").encode()).hexdigest()[:12]
    assert f"Python interface `{digest}`" in CHANGELOG.read_text(), (
        f"say in CHANGELOG.md what has changed, and put `{digest}` there"
    )
