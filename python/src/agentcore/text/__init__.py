"""Batch string work: :class:`FastStringProcessor`, native where it can be."""

from __future__ import annotations

from agentcore.text.contract import KINDS, Case, Form, Kind, MatchKind
from agentcore.text.facade import FastStringProcessor, PatternFinder

__all__ = [
    "KINDS",
    "Case",
    "FastStringProcessor",
    "Form",
    "Kind",
    "MatchKind",
    "PatternFinder",
]
