"""Circuit breaker: opens after consecutive failures and closes again."""

from datetime import UTC, datetime, timedelta

from bot.providers.circuit_breaker import INITIAL_OPEN_SECONDS, MAX_OPEN_SECONDS, PATIENCE, Breaker

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def breaker_after_failures(count: int) -> Breaker:
    """Return a circuit breaker after this number of consecutive failures."""
    breaker = Breaker()
    for _ in range(count):
        breaker.failed(NOW)
    return breaker


def test_circuit_stays_closed_after_a_few_failures() -> None:
    """Single failures are normal."""
    assert breaker_after_failures(PATIENCE - 1).pause(NOW) == 0


def test_circuit_opens_after_consecutive_failures() -> None:
    """An API that does not respond gets no further calls."""
    assert breaker_after_failures(PATIENCE).pause(NOW) == INITIAL_OPEN_SECONDS


def test_circuit_closes_by_itself() -> None:
    """The next call probes the API."""
    later = NOW + timedelta(seconds=INITIAL_OPEN_SECONDS)
    assert breaker_after_failures(PATIENCE).pause(later) == 0


def test_each_further_failure_doubles_the_open_time_to_a_limit() -> None:
    """A long outage costs few calls, and its end is noticed within minutes."""
    assert breaker_after_failures(PATIENCE + 1).pause(NOW) == 2 * INITIAL_OPEN_SECONDS
    assert breaker_after_failures(PATIENCE + 50).pause(NOW) == MAX_OPEN_SECONDS


def test_response_resets_the_circuit_breaker() -> None:
    """Only consecutive failures count."""
    breaker = breaker_after_failures(PATIENCE)
    breaker.answered()
    assert breaker.pause(NOW) == 0
    breaker.failed(NOW)
    assert breaker.pause(NOW) == 0


def test_longer_open_time_is_not_shortened() -> None:
    """The wait that the API asks for is kept."""
    breaker = Breaker()
    breaker.rest(300, NOW)
    breaker.rest(10, NOW)
    assert breaker.pause(NOW) == 300
