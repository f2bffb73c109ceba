"""Batch string work: :class:`FastStringProcessor`, native where it can be."""

from __future__ import annotations

from agentcore.text.contract import (
    KINDS,
    Case,
    ChunkUnit,
    Form,
    HashAlgorithm,
    Kind,
    MatchKind,
    Metric,
    NgramUnit,
    TokenKind,
)
from agentcore.text.facade import FastStringProcessor
from agentcore.text.handles import PatternFinder, TextExpression, TextPlan
from agentcore.text.hits import Hits

__all__ = [
    "KINDS",
    "Case",
    "ChunkUnit",
    "FastStringProcessor",
    "Form",
    "HashAlgorithm",
    "Hits",
    "Kind",
    "MatchKind",
    "Metric",
    "NgramUnit",
    "PatternFinder",
    "TextExpression",
    "TextPlan",
    "TokenKind",
]
