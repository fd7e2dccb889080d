"""Words that are nearly alike, for "Did you mean …"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Iterable

LIKENESS = 60  # of 100: how alike two words must be


def closest(word: str, choices: Iterable[str], likeness: int = LIKENESS) -> str:
    """Return the choice most like the word, or "" when none is like it."""
    best = process.extractOne(word, list(choices), scorer=fuzz.ratio, score_cutoff=likeness)
    return str(best[0]) if best else ""
