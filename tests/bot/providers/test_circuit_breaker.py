"""Circuit breaker: opens after consecutive failures and closes again."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.circuit_breaker import (
    FAILURE_THRESHOLD,
    INITIAL_OPEN_SECONDS,
    MAX_OPEN_SECONDS,
    CircuitBreaker,
)
from bot.sdk.testing import ManualClock
from tests.jitter import LONGEST

NOW = 1_000.0  # monotonic seconds


def breaker_after_failures(count: int) -> CircuitBreaker:
    """Return a circuit breaker after this number of consecutive failures."""
    breaker = CircuitBreaker(LONGEST)
    for _ in range(count):
        breaker.record_failure(NOW)
    return breaker


def test_circuit_stays_closed_after_a_few_failures() -> None:
    """Single failures are normal."""
    assert breaker_after_failures(FAILURE_THRESHOLD - 1).open_for(NOW) == 0


def test_circuit_opens_after_consecutive_failures() -> None:
    """An API that does not respond gets no further calls."""
    assert breaker_after_failures(FAILURE_THRESHOLD).open_for(NOW) == INITIAL_OPEN_SECONDS


def test_circuit_closes_by_itself() -> None:
    """The next call probes the API."""
    later = NOW + INITIAL_OPEN_SECONDS
    assert breaker_after_failures(FAILURE_THRESHOLD).open_for(later) == 0


def test_each_further_failure_doubles_the_open_time_to_a_limit() -> None:
    """A long outage costs few calls, and its end is noticed within minutes."""
    assert breaker_after_failures(FAILURE_THRESHOLD + 1).open_for(NOW) == 2 * INITIAL_OPEN_SECONDS
    assert breaker_after_failures(FAILURE_THRESHOLD + 50).open_for(NOW) == MAX_OPEN_SECONDS


def test_response_resets_the_circuit_breaker() -> None:
    """Only consecutive failures count."""
    breaker = breaker_after_failures(FAILURE_THRESHOLD)
    breaker.record_success()
    assert breaker.open_for(NOW) == 0
    breaker.record_failure(NOW)
    assert breaker.open_for(NOW) == 0


def test_longer_open_time_is_not_shortened() -> None:
    """The wait that the API asks for is kept."""
    breaker = CircuitBreaker(LONGEST)
    breaker.open(300, NOW)
    breaker.open(10, NOW)
    assert breaker.open_for(NOW) == 300


@given(st.floats(0, MAX_OPEN_SECONDS), st.floats(-31_557_600, 31_557_600))
def test_step_of_the_wall_clock_changes_no_open_time(seconds: float, step: float) -> None:
    """The circuit closes after its time, whatever the wall clock shows."""
    clock, breaker = ManualClock(), CircuitBreaker(LONGEST)
    breaker.open(MAX_OPEN_SECONDS, clock.monotonic())
    asyncio.run(clock.advance(seconds))
    clock.step(step)
    left = breaker.open_for(clock.monotonic())
    assert left == pytest.approx(MAX_OPEN_SECONDS - seconds, abs=0.001)
    asyncio.run(clock.advance(MAX_OPEN_SECONDS))
    assert breaker.open_for(clock.monotonic()) == 0
