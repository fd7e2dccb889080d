"""Exponential backoff with equal jitter."""

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.sdk.backoff import backoff
from tests.jitter import LONGEST, SHORTEST

ATTEMPTS = st.integers(0, 100) | st.integers(0, 10**30)
BASES = st.floats(0.001, 1e6)
LIMITS = st.floats(0.001, 1e9)


@given(ATTEMPTS, BASES, LIMITS, st.integers())
def test_delay_is_half_to_all_of_the_exponential_delay(
    attempt: int, base: float, limit: float, seed: int
) -> None:
    """It never exceeds the limit, at any number of attempts."""
    jitter = Random(seed)  # noqa: S311
    longest = backoff(attempt, base, limit, LONGEST)
    assert longest / 2 <= backoff(attempt, base, limit, jitter) <= longest <= limit


@given(ATTEMPTS, BASES, LIMITS)
def test_longest_delay_grows_to_the_limit(attempt: int, base: float, limit: float) -> None:
    """Each attempt waits at least as long as the one before it."""
    before = backoff(attempt, base, limit, LONGEST)
    assert before <= backoff(attempt + 1, base, limit, LONGEST)
    assert backoff(attempt + 100, base, limit, LONGEST) == limit


def test_first_delays_double() -> None:
    """Attempt 0 waits for the base at most."""
    assert [backoff(n, 2, 10, LONGEST) for n in range(4)] == [2, 4, 8, 10]
    assert [backoff(n, 2, 10, SHORTEST) for n in range(4)] == [1, 2, 4, 5]


def test_retries_of_many_callers_are_spread() -> None:
    """A thousand callers that failed together do not retry together."""
    jitter = Random(1)  # noqa: S311
    delays = sorted(backoff(0, 10, 60, jitter) for _ in range(1_000))
    assert max(b - a for a, b in itertools.pairwise(delays)) < 0.1
