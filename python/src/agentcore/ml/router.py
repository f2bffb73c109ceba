"""Chooses the agent for a prompt by likeness to each agent's examples; asks back when unsure.

The score of an agent is the mean of its two most similar examples, so that one lucky example
does not decide. Below the threshold, or with two agents too close, there is no choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agentcore.ml.embeddings import EmbeddingModel

__all__ = ["Route", "Router"]

MIN_SCORE = 0.25
"""Cosine below which a prompt is like no example (unrelated prompts of the tests: under 0.2)."""
MIN_MARGIN = 0.05
"""Lead that the best agent needs over the next."""


@dataclass(frozen=True)
class Route:
    """Where a prompt goes.

    Attributes:
        agent: the chosen agent, or an empty string when the prompt must be made clearer.
        scores: likeness of each agent, best first, as cosines.
        margin: lead of the best over the next.
        question: what to ask back; empty when an agent was chosen.
    """

    agent: str
    scores: tuple[tuple[str, float], ...]
    margin: float
    question: str


class Router:
    """Routes prompts by examples.

    Args:
        model: the embedding model.
        examples: agent name to prompts that it should get, at least two each.
        descriptions: agent name to what it does, for the question asked back.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        examples: Mapping[str, Sequence[str]],
        descriptions: Mapping[str, str],
    ) -> None:
        self._model = model
        self._vectors = {name: model.embed(list(texts)) for name, texts in examples.items()}
        self._descriptions = descriptions

    def route(self, prompt: str) -> Route:
        """Choose an agent for ``prompt``, or none and a question."""
        vector = self._model.embed([prompt])[0]
        scores = {
            name: float(np.mean(np.sort(vectors @ vector)[-2:]))
            for name, vectors in self._vectors.items()
        }
        ranked = tuple(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
        margin = ranked[0][1] - ranked[1][1] if len(ranked) > 1 else ranked[0][1]
        if ranked[0][1] >= MIN_SCORE and margin >= MIN_MARGIN:
            return Route(ranked[0][0], ranked, margin, "")
        offer = "; ".join(f"{name} {self._descriptions[name]}" for name, _ in ranked)
        return Route("", ranked, margin, f"Which agent is meant? {offer}.")
