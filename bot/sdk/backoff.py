"""Exponential backoff with equal jitter, for every delay before a retry. Pure."""

from __future__ import annotations

from random import Random
from typing import Protocol

_MAX_EXPONENT = 1_000  # 2.0 to a higher power is no float


class Jitter(Protocol):
    """A source of random numbers, such as `random.Random`."""

    def random(self) -> float:
        """Return a number from 0.0 to 1.0."""
        ...


JITTER = Random()  # noqa: S311  spreads retries; no secret depends on it


def backoff(attempt: int, base_seconds: float, max_seconds: float, jitter: Jitter) -> float:
    """Return the delay before a retry: half of the exponential delay, and a random other half.

    The exponential delay is `base_seconds` for attempt 0, doubles with each attempt and ends at
    `max_seconds`. Equal jitter spreads the retries of many callers, and none retries at once.
    """
    exponential = base_seconds * 2.0 ** max(0, min(attempt, _MAX_EXPONENT))
    half = min(max_seconds, exponential) / 2
    return half + half * jitter.random()
