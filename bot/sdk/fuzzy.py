"""Closest string match, for "Did you mean …"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Iterable

LIKENESS = 60  # of 100


def closest(word: str, choices: Iterable[str], likeness: int = LIKENESS) -> str:
    """Return the most similar choice, or "" if none is similar enough."""
    best = process.extractOne(word, list(choices), scorer=fuzz.ratio, score_cutoff=likeness)
    return str(best[0]) if best else ""
