"""A contract written for these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcore.agents.lawyer import LawyerAgent
from agentcore.integration import RustIntegrationManager
from agentcore.ml.embeddings import EmbeddingModel
from agentcore.ml.search import search
from agentcore.text import FastStringProcessor

CONTRACT = (Path(__file__).parent / "contract.txt").read_text("utf-8")


@pytest.fixture(scope="session")
def model() -> EmbeddingModel:
    return EmbeddingModel.load()


@pytest.fixture
def lawyer(manager: RustIntegrationManager, model: EmbeddingModel) -> LawyerAgent:
    return LawyerAgent(
        FastStringProcessor(manager=manager),
        lambda query, documents, limit: search(model, query, documents, limit),
    )
