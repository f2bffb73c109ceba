"""Passages lose nothing, and hits quote the document word for word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcore.ml.embeddings import EmbeddingModel
from agentcore.ml.search import TARGET_CHARS, passages, search

DOCUMENTS = [
    (
        "handbook.txt",
        "Vacation days must be requested two weeks ahead.\n\nThe office opens at nine.",
    ),
    ("backup.txt", "Backups run every night.\n\nTo restore a database, stop the service first."),
]


@given(st.text(alphabet="aé. \n\t?;", max_size=4000))
def test_passages_are_verbatim_ordered_and_complete(text: str) -> None:
    found = passages("d", text)
    end = 0
    for passage in found:
        assert text[passage.start : passage.end] == passage.text
        assert passage.start >= end
        assert not text[end : passage.start].strip()  # nothing but space is left out
        assert len(passage.text) <= 3 * TARGET_CHARS
        end = passage.end
    assert not text[end:].strip()


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel.load()


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("how do I get the database back", "backup.txt"),
        ("when can I take vacation", "handbook.txt"),
        ("office opening hours", "handbook.txt"),
    ],
)
def test_the_best_hit(model: EmbeddingModel, query: str, document: str) -> None:
    hits = search(model, query, DOCUMENTS)
    assert hits[0].passage.document == document
    texts = dict(DOCUMENTS)
    for hit in hits:
        passage = hit.passage
        assert texts[passage.document][passage.start : passage.end] == passage.text
        assert 0 < hit.score <= 1


def test_nothing_to_search(model: EmbeddingModel) -> None:
    assert search(model, "x", []) == []
    assert search(model, "x", [("a", " \n ")]) == []
