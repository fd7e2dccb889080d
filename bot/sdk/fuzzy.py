"""Closest string match, for "Did you mean …"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_SIMILARITY = 60  # of 100


def closest_match(word: str, choices: Iterable[str], min_similarity: int = MIN_SIMILARITY) -> str:
    """Return the most similar choice, or "" if none is similar enough."""
    best = process.extractOne(word, list(choices), scorer=fuzz.ratio, score_cutoff=min_similarity)
    return str(best[0]) if best else ""
