"""Circuit breaker: opens after consecutive failures and closes again."""

from datetime import UTC, datetime, timedelta

from bot.providers.circuit_breaker import (
    FAILURE_THRESHOLD,
    INITIAL_OPEN_SECONDS,
    MAX_OPEN_SECONDS,
    CircuitBreaker,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def breaker_after_failures(count: int) -> CircuitBreaker:
    """Return a circuit breaker after this number of consecutive failures."""
    breaker = CircuitBreaker()
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
    later = NOW + timedelta(seconds=INITIAL_OPEN_SECONDS)
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
    breaker = CircuitBreaker()
    breaker.open(300, NOW)
    breaker.open(10, NOW)
    assert breaker.open_for(NOW) == 300
