"""Closest string match, for "Did you mean …"."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_SIMILARITY = 0.6  # of 1, as of difflib.SequenceMatcher.ratio


def closest_match(word: str, choices: Iterable[str], min_similarity: float = MIN_SIMILARITY) -> str:
    """Return the most similar choice, or "" if none is similar enough."""
    return next(iter(get_close_matches(word, list(choices), n=1, cutoff=min_similarity)), "")
