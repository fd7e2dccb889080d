"""A connection that keeps failing is left in peace, and tried again."""

from datetime import UTC, datetime, timedelta

from bot.providers.breaker import FIRST_SECONDS, LONGEST_SECONDS, PATIENCE, Breaker

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def failing(times: int) -> Breaker:
    """Return a breaker that has seen so many failures in a row."""
    breaker = Breaker()
    for _ in range(times):
        breaker.failed(NOW)
    return breaker


def test_a_few_failures_do_not_stop_the_asking() -> None:
    """Everybody stumbles."""
    assert failing(PATIENCE - 1).pause(NOW) == 0


def test_after_some_failures_in_a_row_the_connection_rests() -> None:
    """Who does not answer is not hammered."""
    assert failing(PATIENCE).pause(NOW) == FIRST_SECONDS


def test_the_rest_ends_by_itself() -> None:
    """One look tries whether it is well again."""
    assert failing(PATIENCE).pause(NOW + timedelta(seconds=FIRST_SECONDS)) == 0


def test_each_further_failure_makes_the_rest_longer_up_to_a_limit() -> None:
    """A long outage costs few calls, and its end is seen within minutes."""
    assert failing(PATIENCE + 1).pause(NOW) == 2 * FIRST_SECONDS
    assert failing(PATIENCE + 50).pause(NOW) == LONGEST_SECONDS


def test_an_answer_forgives_everything() -> None:
    """Only failures in a row count."""
    breaker = failing(PATIENCE)
    breaker.answered()
    assert breaker.pause(NOW) == 0
    breaker.failed(NOW)
    assert breaker.pause(NOW) == 0


def test_a_longer_rest_is_not_cut_short() -> None:
    """What was asked for by the provider itself holds."""
    breaker = Breaker()
    breaker.rest(300, NOW)
    breaker.rest(10, NOW)
    assert breaker.pause(NOW) == 300
